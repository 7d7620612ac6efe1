# Operators' commands by the clock (UTC). Each newest revision of the task is taken, so a release changes these too.

locals {
  schedules = {
    backup  = { when = "cron(30 1 * * ? *)", command = ["manage", "backup"] }
    checkup = { when = "cron(0 5 ? * MON-SAT *)", command = ["manage", "checkup"] }
    weekly  = { when = "cron(0 5 ? * SUN *)", command = ["manage", "checkup", "--weekly"] }
  }
}

resource "aws_scheduler_schedule" "this" {
  for_each            = local.schedules
  name                = "${var.name}-${each.key}"
  schedule_expression = each.value.when

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_ecs_cluster.this.arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode({ containerOverrides = [{ name = "operations", command = each.value.command }] })

    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.operations.arn_without_revision
      launch_type         = "FARGATE"
      network_configuration {
        subnets          = var.private_subnet_ids
        security_groups  = [var.operations_group_id]
        assign_public_ip = false
      }
    }

    retry_policy {
      maximum_retry_attempts       = 2
      maximum_event_age_in_seconds = 600
    }
  }
}
