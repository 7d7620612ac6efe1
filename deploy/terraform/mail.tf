# Mail by SES, which itself keeps a list of addresses that refused or complained and sends them nothing more. What came back
# goes to a topic: complaints and refused mail to the operators, the rest to whoever subscribes.

locals {
  messages_by_ses = lookup(var.messages, "MESSAGES_EMAIL", "") == "ses"
  messages_by_aws = lookup(var.messages, "MESSAGES_SMS", "") == "aws"
  # What a task needs for messages to doctors: action → on what.
  message_actions = merge(
    local.messages_by_ses ? {
      "ses:SendEmail"     = [aws_sesv2_email_identity.this.arn, aws_sesv2_configuration_set.this.arn]
      "ses:SendBulkEmail" = [aws_sesv2_email_identity.this.arn, aws_sesv2_configuration_set.this.arn]
      "ses:GetAccount"    = ["*"] # knows no narrower one
    } : {},
    local.messages_by_aws ? {
      "sms-voice:SendTextMessage"           = ["arn:aws:sms-voice:${var.region}:${data.aws_caller_identity.current.account_id}:*"]
      "sms-voice:DescribeAccountAttributes" = ["*"]
    } : {},
  )
}

# The site hears what became of messages, and confirms the subscription itself.
resource "aws_sns_topic_subscription" "messages" {
  count                  = local.messages_by_ses ? 1 : 0
  topic_arn              = aws_sns_topic.mail_events.arn
  protocol               = "https"
  endpoint               = "${local.site_url}/callbacks/ses/"
  endpoint_auto_confirms = true
}

resource "aws_sesv2_configuration_set" "this" {
  configuration_set_name = local.name
  delivery_options {
    tls_policy = "REQUIRE"
  }
  reputation_options {
    reputation_metrics_enabled = true
  }
  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }
}

resource "aws_sesv2_email_identity" "this" {
  email_identity         = local.mail_domain
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  dkim_signing_attributes {
    next_signing_key_length = "RSA_2048_BIT"
  }
}

resource "aws_sns_topic" "mail_events" {
  name              = "${local.name}-mail-events"
  kms_master_key_id = aws_kms_key.alarms.arn
}

data "aws_iam_policy_document" "mail_events" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.mail_events.arn]
    principals {
      type        = "Service"
      identifiers = ["ses.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "AWS:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "mail_events" {
  arn    = aws_sns_topic.mail_events.arn
  policy = data.aws_iam_policy_document.mail_events.json
}

resource "aws_sns_topic_subscription" "mail_events" {
  for_each            = toset(var.operator_emails)
  topic_arn           = aws_sns_topic.mail_events.arn
  protocol            = "email"
  endpoint            = each.value
  filter_policy_scope = "MessageBody"
  filter_policy       = jsonencode({ eventType = ["Complaint", "Reject"] })
}

resource "aws_sesv2_configuration_set_event_destination" "this" {
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "sns"
  event_destination {
    enabled              = true
    matching_event_types = concat(["BOUNCE", "COMPLAINT", "REJECT", "DELIVERY_DELAY"], local.messages_by_ses ? ["SEND", "DELIVERY"] : [])
    sns_destination {
      topic_arn = aws_sns_topic.mail_events.arn
    }
  }
  depends_on = [aws_sns_topic_policy.mail_events]
}
