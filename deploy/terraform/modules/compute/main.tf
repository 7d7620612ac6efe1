# One Fargate service for each process of docs/operating.md. Nothing a task holds in memory is missed when it goes.

locals {
  # stop: seconds between SIGTERM and SIGKILL; as long as the process needs by docs/operating.md, and Fargate's most.
  shape = {
    web        = { port = 8001, stop = 60, command = ["web"], stores_media = true }
    realtime   = { port = 8002, stop = 60, command = ["realtime"], stores_media = false }
    worker     = { port = 0, stop = 60, command = ["worker"], stores_media = true }
    long       = { port = 0, stop = 120, command = ["long"], stores_media = true }
    sender     = { port = 0, stop = 60, command = ["sender"], stores_media = false }
    transcoder = { port = 0, stop = 30, command = ["transcoder"], stores_media = true }
    ingest     = { port = 1935, stop = 30, command = ["ingest"], stores_media = true }
    beat       = { port = 0, stop = 30, command = ["beat"], stores_media = false }
  }
  celery = ["worker", "long", "sender"]

  commands = {
    for name, shape in local.shape : name => concat(
      shape.command, contains(local.celery, name) ? ["--concurrency=${var.services[name].processes}"] : []
    )
  }
  secrets = [for name in var.secret_names : { name = name, valueFrom = "${var.secret_arn}:${name}::" }]
  # Past PgBouncer: migrations, pg_dump and drills need a session of their own.
  direct_secrets = [
    for secret in local.secrets : secret.name == "DATABASE_URL"
    ? { name = "DATABASE_URL", valueFrom = "${var.database_secret_arn}:DATABASE_URL::" } : secret
  ]
}

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Enough to go back to, not for ever"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 50 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(concat(keys(local.shape), ["operations"]))
  name              = "/rounds/${var.name}/${each.key}"
  retention_in_days = var.log_days
}

resource "aws_ecs_task_definition" "service" {
  for_each = local.shape

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.services[each.key].cpu
  memory                   = var.services[each.key].memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  ephemeral_storage {
    size_in_gib = var.services[each.key].scratch_gib
  }

  volume {
    name = "var"
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = each.key
    image                  = var.image
    command                = local.commands[each.key]
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    stopTimeout            = each.value.stop
    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { drop = ["ALL"] }
    }
    portMappings = each.value.port == 0 ? [] : [{ containerPort = each.value.port, protocol = "tcp" }]
    mountPoints = [
      { sourceVolume = "var", containerPath = "/var/lib/rounds" },
      { sourceVolume = "tmp", containerPath = "/tmp" },
    ]
    # A file for each socket.
    ulimits     = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    environment = [for name, value in merge(var.environment, var.environment_of[each.key]) : { name = name, value = value }]
    secrets     = local.secrets
    healthCheck = {
      command     = ["CMD", "python", "/srv/rounds/deploy/docker/healthcheck.py", each.key]
      interval    = 30
      timeout     = 15
      retries     = 3
      startPeriod = 60
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this[each.key].name
        awslogs-region        = var.region
        awslogs-stream-prefix = each.key
      }
    }
  }])
}

# What runs once: migrations of a release, and the operators' commands.
resource "aws_ecs_task_definition" "operations" {
  family                   = "${var.name}-operations"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 1024
  memory                   = 2048
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.operations.arn

  # A dump lies here whole before it is uploaded, and again when it is restored on trial.
  ephemeral_storage {
    size_in_gib = 200
  }

  volume {
    name = "var"
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "operations"
    image                  = var.image
    command                = ["manage", "check", "--deploy"]
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    mountPoints = [
      { sourceVolume = "var", containerPath = "/var/lib/rounds" },
      { sourceVolume = "tmp", containerPath = "/tmp" },
    ]
    environment = [for name, value in var.environment : { name = name, value = value }]
    secrets     = local.direct_secrets
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this["operations"].name
        awslogs-region        = var.region
        awslogs-stream-prefix = "operations"
      }
    }
  }])
}

locals {
  target_groups = {
    web      = aws_lb_target_group.http["web"].arn
    realtime = aws_lb_target_group.http["realtime"].arn
    ingest   = aws_lb_target_group.ingest.arn
  }
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  name = "${var.name}.internal"
  vpc  = var.vpc_id
}

resource "aws_service_discovery_service" "this" {
  for_each = toset(["web", "realtime"])
  name     = each.key
  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"
    dns_records {
      type = "A"
      ttl  = 10
    }
  }
}

resource "aws_ecs_service" "this" {
  for_each = local.shape

  name             = each.key
  cluster          = aws_ecs_cluster.this.id
  task_definition  = aws_ecs_task_definition.service[each.key].arn
  desired_count    = var.services[each.key].minimum
  launch_type      = "FARGATE"
  platform_version = "1.4.0"
  propagate_tags   = "SERVICE"

  # New ones first, and the old ones leave only when these are healthy.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = each.value.port == 0 ? null : 90
  availability_zone_rebalancing      = "ENABLED"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [var.service_group_id]
    assign_public_ip = false
  }

  # Addresses of the replicas by name, eight at most: web.<name>.internal. For Prometheus; browsers come by the balancer.
  dynamic "service_registries" {
    for_each = contains(keys(aws_service_discovery_service.this), each.key) ? [aws_service_discovery_service.this[each.key].arn] : []
    content {
      registry_arn = service_registries.value
    }
  }

  dynamic "load_balancer" {
    for_each = each.value.port == 0 ? [] : [each.value.port]
    content {
      target_group_arn = local.target_groups[each.key]
      container_name   = each.key
      container_port   = load_balancer.value
    }
  }

  depends_on = [aws_lb_listener.https, aws_lb_listener.ingest, aws_lb_listener_rule.realtime]

  lifecycle {
    ignore_changes = [task_definition, desired_count] # the release and the autoscaling own these
  }
}
