# Follows the load. What the calendar knows beforehand, `manage.py autoscale` schedules on these same targets.

locals {
  scaled = { for name, service in var.services : name => service if service.maximum > service.minimum }
  # Percent of CPU. A surge doubles within minutes and a task needs one to start: the fronts keep half in hand.
  cpu_target = { web = 45, realtime = 45, worker = 60, long = 70, sender = 60, transcoder = 70, ingest = 50, beat = 70 }
}

resource "aws_appautoscaling_target" "this" {
  for_each           = local.scaled
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  min_capacity       = each.value.minimum
  max_capacity       = each.value.maximum

  lifecycle {
    ignore_changes = [min_capacity, max_capacity] # raised and lowered again around each webinar
  }
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each           = local.scaled
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = local.cpu_target[each.key]
    scale_out_cooldown = 30
    scale_in_cooldown  = 600
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "requests" {
  count              = contains(keys(local.scaled), "web") ? 1 : 0
  name               = "requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this["web"].service_namespace
  scalable_dimension = aws_appautoscaling_target.this["web"].scalable_dimension
  resource_id        = aws_appautoscaling_target.this["web"].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 6000 # a minute and task
    scale_out_cooldown = 30
    scale_in_cooldown  = 600
    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${aws_lb.site.arn_suffix}/${aws_lb_target_group.http["web"].arn_suffix}"
    }
  }
}
