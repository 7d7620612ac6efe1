# PgBouncer between the services and PostgreSQL: they may open thousands of connections, the database bears a few dozen
# at work. A network balancer stands before it rather than a name of service discovery: it notices a dead task within
# seconds whatever a caller has cached, and a task that is to go gets no new callers for as long as theirs live on.

locals {
  port     = 6432
  callers  = 5000 # of one task: max_client_conn in deploy/docker/pooler/limits.ini
  each     = max(1, ceil(var.connections / var.size.tasks))
  draining = 660 # more than the 600 s (DATABASES in lms/settings.py) after which the processes renew their connections
}

resource "aws_ecr_repository" "this" {
  name                 = "${var.name}-pooler"
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/rounds/${var.name}/pooler"
  retention_in_days = var.log_days
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# Its own: of the product's secrets PgBouncer gets none but the database's.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-pooler-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "execution" {
  name = "start-tasks"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = "*" }, # AWS knows no narrower one
      {
        Effect   = "Allow"
        Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
        Resource = aws_ecr_repository.this.arn
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      },
      { Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = var.secret_arn },
    ]
  })
}

resource "aws_lb" "this" {
  name                             = "${var.name}-pooler"
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = var.subnet_ids
  security_groups                  = [var.balancer_group_id]
  enable_cross_zone_load_balancing = true # a zone's callers must not depend on that zone's task
  enable_deletion_protection       = var.protected
}

resource "aws_lb_target_group" "this" {
  name                 = "${var.name}-pooler"
  port                 = local.port
  protocol             = "TCP"
  target_type          = "ip"
  vpc_id               = var.vpc_id
  preserve_client_ip   = false # the tasks take connections from the balancer only
  deregistration_delay = local.draining
  health_check {
    protocol            = "TCP"
    interval            = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

# TLS goes through to PgBouncer. The balancer forgets connections that are silent for 350 s: the services' URL keeps
# them alive (keepalives_idle).
resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = local.port
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = "${var.name}-pooler"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.execution.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "pooler"
    image                  = var.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    stopTimeout            = 120 # Fargate's most; POOLER_DRAIN_SECONDS and the last transactions fit in
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    portMappings           = [{ containerPort = local.port, protocol = "tcp" }]
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp" }]
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }] # a file for each connection
    environment = [for name, value in {
      PGHOST               = var.database_address
      PGPORT               = "5432"
      PGDATABASE           = "rounds"
      PGUSER               = "rounds"
      PGSSLMODE            = "verify-full"
      PGSSLROOTCERT        = "/etc/ssl/rounds/rds.pem"
      POOLER_CONNECTIONS   = tostring(local.each)
      POOLER_DRAIN_SECONDS = "100"
    } : { name = name, value = value }]
    secrets = [{ name = "PGPASSWORD", valueFrom = "${var.secret_arn}:PGPASSWORD::" }]
    healthCheck = {
      command     = ["CMD", "/bin/sh", "/srv/pooler/healthcheck"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 10
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "pooler"
      }
    }
  }])
}

# No release of the product touches it: Terraform owns its image, and replaces one task after the other has come.
resource "aws_ecs_service" "this" {
  name             = "pooler"
  cluster          = var.cluster_id
  task_definition  = aws_ecs_task_definition.this.arn
  desired_count    = var.size.tasks
  launch_type      = "FARGATE"
  platform_version = "1.4.0"
  propagate_tags   = "SERVICE"

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  availability_zone_rebalancing      = "ENABLED"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.group_id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "pooler"
    container_port   = local.port
  }

  depends_on = [aws_lb_listener.this, aws_iam_role_policy.execution]
}
