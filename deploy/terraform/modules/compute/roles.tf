# Who may do what. A task may what its process does, and no statement names all resources where AWS lets it name some.

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
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
        Resource = [for group in aws_cloudwatch_log_group.this : "${group.arn}:*"]
      },
      { Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = [var.secret_arn, var.database_secret_arn] },
    ]
  })
}

resource "aws_iam_role" "task" {
  for_each           = local.shape
  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

# Folders of the private storage: what is shown, and what is made of it and of doctors.
locals {
  played = ["videos", "sources"]
  kept   = ["certificates", "transcripts", "evidence", "cold"]
}

resource "aws_iam_role_policy" "media" {
  for_each = toset([for name, shape in local.shape : name if shape.stores_media])
  name     = "media"
  role     = aws_iam_role.task[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = [for folder in concat(local.played, local.kept) : "${var.media_bucket_arn}/${folder}/*"]
      },
      { Effect = "Allow", Action = ["s3:ListBucket"], Resource = var.media_bucket_arn },
    ]
  })
}

# web sets channels up and lets viewers in, the workers follow broadcasts, cut off, and fetch recordings.
resource "aws_iam_role_policy" "live_ivs" {
  for_each = var.live_ivs_enabled ? toset(["web", "worker", "long"]) : []
  name     = "live-ivs"
  role     = aws_iam_role.task[each.key].id
  policy   = var.live_ivs_policy
}

# Workers send, and a release asks whether the provider takes us (`manage.py check --deploy`).
resource "aws_iam_role_policy" "messages" {
  for_each = toset([for name in concat(local.celery, ["operations"]) : name if length(var.message_actions) > 0])
  name     = "messages"
  role     = each.key == "operations" ? aws_iam_role.operations.id : aws_iam_role.task[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for action, resources in var.message_actions :
      { Effect = "Allow", Action = [action], Resource = resources == tolist(["*"]) ? "*" : resources }
    ]
  })
}

resource "aws_iam_role" "operations" {
  name               = "${var.name}-operations"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

# The worker scales by the calendar of webinars and looks whether the machines are there; people do by `manage.py autoscale`.
resource "aws_iam_role_policy" "autoscale" {
  for_each = { worker = aws_iam_role.task["worker"].id, operations = aws_iam_role.operations.id }
  name     = "autoscale"
  role     = each.value
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "application-autoscaling:PutScheduledAction", "application-autoscaling:DeleteScheduledAction",
          "application-autoscaling:RegisterScalableTarget",
        ]
        Resource = [for target in aws_appautoscaling_target.this : target.arn]
      },
      {
        Effect   = "Allow"
        Action   = ["application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScheduledActions"]
        Resource = "*" # these know no narrower one
      },
      {
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "Rounds" } }
      },
      {
        Effect   = "Allow"
        Action   = ["ecs:DescribeServices"]
        Resource = [for service in aws_ecs_service.this : service.id]
      },
      {
        Effect    = "Allow"
        Action    = ["ecs:ListTasks", "ecs:DescribeTasks"] # which of them are healthy
        Resource  = "*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
    ]
  })
}

# `manage.py checkup`: how services and database did in the last week. Its own task has no history.
resource "aws_iam_role_policy" "checkup" {
  name = "checkup"
  role = aws_iam_role.operations.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["cloudwatch:GetMetricData"], Resource = "*" }] # these know no narrower one
  })
}

resource "aws_iam_role_policy" "backups" {
  name = "backups"
  role = aws_iam_role.operations.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = "${var.backup_bucket_arn}/*"
      },
      { Effect = "Allow", Action = ["s3:ListBucket"], Resource = var.backup_bucket_arn },
    ]
  })
}

# `manage.py coldstore`, and commands that look at certificates and their evidence.
resource "aws_iam_role_policy" "kept" {
  name = "kept"
  role = aws_iam_role.operations.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = [for folder in local.kept : "${var.media_bucket_arn}/${folder}/*"]
      },
      { Effect = "Allow", Action = ["s3:ListBucket"], Resource = var.media_bucket_arn },
    ]
  })
}

# What the calendar of operations starts; the tasks themselves may more.
resource "aws_iam_role" "scheduler" {
  name = "${var.name}-scheduler"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "run-operations"
  role = aws_iam_role.scheduler.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = "${aws_ecs_task_definition.operations.arn_without_revision}:*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.execution.arn, aws_iam_role.operations.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}

# For the role that the pipeline takes by OIDC: push an image, or staging's own, and roll it out; nothing else.
resource "aws_iam_policy" "release" {
  name = "${var.name}-release"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      { Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = "*" },
      {
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
          "ecr:PutImage", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:DescribeImages",
        ]
        Resource = aws_ecr_repository.this.arn
      },
      { Effect = "Allow", Action = ["ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition"], Resource = "*" },
      {
        Effect   = "Allow"
        Action   = ["ecs:UpdateService", "ecs:DescribeServices"]
        Resource = [for service in aws_ecs_service.this : service.id]
      },
      {
        Effect    = "Allow"
        Action    = ["ecs:RunTask", "ecs:DescribeTasks", "ecs:StopTask"]
        Resource  = "*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = concat([aws_iam_role.execution.arn, aws_iam_role.operations.arn], [for role in aws_iam_role.task : role.arn])
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      ], var.staging_repository_arn == "" ? [] : [{
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = var.staging_repository_arn
    }])
  })
}
