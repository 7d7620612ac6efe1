# Alarms that wake somebody, and the picture they open. Prometheus' rules (docs/operating.md) see more from inside.

resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  kms_master_key_id = aws_kms_key.alarms.arn
}

# The AWS-managed key lets no alarm publish; alarms would be silent.
resource "aws_kms_key" "alarms" {
  description         = "${local.name}: alarms"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "ses.amazonaws.com", "events.rds.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
      # EventBridge names no account here either.
      {
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each  = toset(var.operator_emails)
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_db_event_subscription" "this" {
  name             = local.name
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = concat([module.database.identifier], module.database.replica_identifiers)
  event_categories = ["failover", "failure", "low storage", "recovery"]
}

locals {
  balancer = { LoadBalancer = module.compute.balancer_suffix }
  database = { DBInstanceIdentifier = module.database.identifier }
  standing = merge({ for name, service in var.services : name => service.minimum }, { pooler = var.pooler.tasks })

  alarms = merge(
    {
      site-errors = {
        runbook   = "ErrorsHigh"
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", dimensions = local.balancer
        above     = true, threshold = 20, periods = 2
      }
      site-unreachable = {
        runbook   = "ReplicaDown"
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", dimensions = local.balancer
        above     = true, threshold = 20, periods = 2
      }
      site-slow = {
        runbook   = "PagesSlow"
        namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", statistic = "p95", dimensions = local.balancer
        above     = true, threshold = 1, periods = 5
      }
      database-cpu = {
        runbook   = "DatabaseBusy"
        namespace = "AWS/RDS", metric = "CPUUtilization", statistic = "Average", dimensions = local.database
        above     = true, threshold = 80, periods = 5
      }
      database-connections = {
        runbook   = "ConnectionsNearLimit"
        namespace = "AWS/RDS", metric = "DatabaseConnections", statistic = "Maximum", dimensions = local.database
        above     = true, threshold = floor(var.database.max_connections * 0.8), periods = 3
      }
      database-storage = {
        runbook   = "DatabaseFull"
        namespace = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum", dimensions = local.database
        above     = false, threshold = 20 * 1024 * 1024 * 1024, periods = 1
      }
      database-memory = {
        runbook   = "DatabaseBusy"
        namespace = "AWS/RDS", metric = "FreeableMemory", statistic = "Minimum", dimensions = local.database
        above     = false, threshold = 512 * 1024 * 1024, periods = 5
      }
      # A backup or checkup that the schedule could not start leaves no task that could fail.
      schedules = {
        runbook   = "CommandFailed"
        namespace = "AWS/Scheduler", metric = "InvocationDroppedCount", statistic = "Sum", dimensions = { ScheduleGroup = "default" }
        above     = true, threshold = 0, periods = 1
      }
      mail-bounces = {
        runbook   = "MailRefused"
        namespace = "AWS/SES", metric = "Reputation.BounceRate", statistic = "Maximum", dimensions = {}
        above     = true, threshold = 0.04, periods = 1
      }
      mail-complaints = {
        runbook   = "MailRefused"
        namespace = "AWS/SES", metric = "Reputation.ComplaintRate", statistic = "Maximum", dimensions = {}
        above     = true, threshold = 0.0008, periods = 1
      }
    },
    {
      for name, suffix in module.compute.target_group_suffixes : "${name}-unhealthy" => {
        runbook    = "ReplicaDown"
        namespace  = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Maximum"
        dimensions = merge(local.balancer, { TargetGroup = suffix })
        above      = true, threshold = 0, periods = 3
      }
    },
    # From half an hour before a webinar fewer tasks run than were ordered, or nobody looks any more; said every five minutes.
    {
      for name in ["web", "realtime", "worker"] : "capacity-of-${name}" => {
        runbook    = "CapacityMissing"
        namespace  = "Rounds", metric = "CapacityMissing", statistic = "Maximum"
        dimensions = { Cluster = local.name, Tier = name }
        above      = true, threshold = 0, periods = 1, period = 600
      }
    },
    {
      for name, least in local.standing : "${name}-missing" => {
        runbook    = name == "pooler" ? "PoolerDown" : "ReplicaDown"
        namespace  = "ECS/ContainerInsights", metric = "RunningTaskCount", statistic = "Minimum"
        dimensions = { ClusterName = module.compute.cluster, ServiceName = name }
        above      = false, threshold = least, periods = 5
      }
    },
    {
      pooler-unhealthy = {
        runbook    = "PoolerDown"
        namespace  = "AWS/NetworkELB", metric = "UnHealthyHostCount", statistic = "Maximum"
        dimensions = { LoadBalancer = module.pooler.balancer_suffix, TargetGroup = module.pooler.target_group_suffix }
        above      = true, threshold = 0, periods = 3
      }
      # One process, one core: what more there is to do then waits.
      pooler-cpu = {
        runbook    = "PoolerDown"
        namespace  = "AWS/ECS", metric = "CPUUtilization", statistic = "Maximum"
        dimensions = { ClusterName = module.compute.cluster, ServiceName = module.pooler.service }
        above      = true, threshold = 80, periods = 3
      }
    },
    {
      for index in range(var.cache.nodes) : "cache-memory-${index + 1}" => {
        runbook    = "CacheFull"
        namespace  = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", statistic = "Maximum"
        dimensions = { CacheClusterId = "${local.name}-00${index + 1}" }
        above      = true, threshold = 80, periods = 3
      }
    },
    {
      for index in range(var.database.replicas) : "replica-lag-${index + 1}" => {
        runbook    = "ReplicaLag"
        namespace  = "AWS/RDS", metric = "ReplicaLag", statistic = "Maximum"
        dimensions = { DBInstanceIdentifier = "${local.name}-replica-${index + 1}" }
        above      = true, threshold = 30, periods = 5
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "Runbook: docs/runbooks/${each.value.runbook}.md. What to look at first: the dashboard ${local.name}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.above ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.threshold
  period              = try(each.value.period, 60)
  evaluation_periods  = each.value.periods
  # No errors give no data; a service that reports nothing is gone.
  treat_missing_data = endswith(each.key, "-missing") || startswith(each.key, "capacity-of-") ? "breaching" : "notBreaching"
  alarm_actions      = [aws_sns_topic.alarms.arn]
  ok_actions         = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.name
  dashboard_body = jsonencode({
    widgets = [
      for index, widget in [
        { title = "Requests and errors", metrics = [
          ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", module.compute.balancer_suffix, { stat = "Sum" }],
          [".", "HTTPCode_Target_5XX_Count", ".", ".", { stat = "Sum" }],
          [".", "HTTPCode_ELB_5XX_Count", ".", ".", { stat = "Sum" }],
        ] },
        { title = "Response time", metrics = [
          ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", module.compute.balancer_suffix, { stat = "p50" }],
          ["...", { stat = "p95" }],
          ["...", { stat = "p99" }],
        ] },
        { title = "Running tasks", metrics = [
          for name in keys(local.standing) : ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", module.compute.cluster, "ServiceName", name]
        ] },
        { title = "CPU of the services", metrics = [
          for name in keys(local.standing) : ["AWS/ECS", "CPUUtilization", "ClusterName", module.compute.cluster, "ServiceName", name]
        ] },
        { title = "Memory of the services", metrics = [
          for name in keys(local.standing) : ["AWS/ECS", "MemoryUtilization", "ClusterName", module.compute.cluster, "ServiceName", name]
        ] },
        { title = "PostgreSQL", metrics = [
          ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", module.database.identifier],
          [".", "DatabaseConnections", ".", ".", { yAxis = "right" }],
          [".", "CommitLatency", ".", ".", { yAxis = "right" }],
        ] },
        { title = "Valkey", metrics = [
          for index in range(var.cache.nodes) : ["AWS/ElastiCache", "EngineCPUUtilization", "CacheClusterId", "${local.name}-00${index + 1}"]
        ] },
        { title = "Sockets and connections", metrics = [
          ["AWS/ApplicationELB", "ActiveConnectionCount", "LoadBalancer", module.compute.balancer_suffix, { stat = "Sum" }],
          [".", "NewConnectionCount", ".", ".", { stat = "Sum" }],
        ] },
        ] : {
        type       = "metric", width = 12, height = 6, x = 12 * (index % 2), y = 6 * floor(index / 2)
        properties = { title = widget.title, metrics = widget.metrics, region = var.region, period = 60, view = "timeSeries" }
      }
    ]
  })
}
