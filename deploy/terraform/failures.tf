# What ended badly and would otherwise stand in a log only: backups, trial restores, copies, and the operators' commands.
# By EventBridge: the vault's own notifications of failures are accepted by AWS, but no longer sent.

locals {
  # Only of ours: production and staging may share an account. An event that does not say whose it is counts as ours.
  our_vault  = [aws_backup_vault.this.arn, { exists = false }]
  our_backup = [aws_iam_role.backup.arn, { exists = false }]

  failures = {
    backup = {
      runbook = "BackupFailed", text = "A backup of the database failed"
      pattern = { source = ["aws.backup"], detail-type = ["Backup Job State Change"], detail = { state = ["FAILED", "ABORTED", "EXPIRED"], backupVaultArn = local.our_vault } }
    }
    restore = {
      runbook = "BackupFailed", text = "A trial restore of the database failed"
      pattern = { source = ["aws.backup"], detail-type = ["Restore Job State Change"], detail = { status = ["FAILED", "ABORTED"], iamRoleArn = local.our_backup } }
    }
    copy = {
      runbook = "BackupFailed", text = "A copy of a backup failed"
      pattern = { source = ["aws.backup"], detail-type = ["Copy Job State Change"], detail = { state = ["FAILED"], sourceBackupVaultArn = local.our_vault } }
    }
    # `manage.py checkup` ends with 1 or 2 when something needs a look, `manage.py backup` when there is none.
    command = {
      runbook = "CommandFailed", text = "An operators' command ended with another code than 0"
      pattern = {
        source = ["aws.ecs"], detail-type = ["ECS Task State Change"]
        detail = merge(local.operations_task, { containers = { exitCode = [{ "anything-but" = 0 }] } })
      }
    }
    start = {
      runbook = "CommandFailed", text = "An operators' command did not start"
      pattern = {
        source = ["aws.ecs"], detail-type = ["ECS Task State Change"]
        detail = merge(local.operations_task, { stopCode = ["TaskFailedToStart"] })
      }
    }
  }

  operations_task = {
    lastStatus        = ["STOPPED"]
    taskDefinitionArn = [{ prefix = "${module.compute.operations_definition}:" }]
  }
}

resource "aws_cloudwatch_event_rule" "failures" {
  for_each      = local.failures
  name          = "${local.name}-failed-${each.key}"
  description   = "${each.value.text}. Runbook: docs/runbooks/${each.value.runbook}.md"
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "failures" {
  for_each = local.failures
  rule     = aws_cloudwatch_event_rule.failures[each.key].name
  arn      = aws_sns_topic.alarms.arn

  input_transformer {
    input_paths    = { at = "$.time", what = "$.resources[0]" }
    input_template = "\"${local.name}: ${each.value.text}, <at>: <what>. Runbook: docs/runbooks/${each.value.runbook}.md\""
  }
}

data "aws_iam_policy_document" "alarms" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]
    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "AWS:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
  # EventBridge names no account when it publishes: a condition would make it silent.
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}
