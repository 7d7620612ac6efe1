# Live pictures by AWS IVS (docs/live.md): where AWS records, and the public half of the key that lets viewers in. The
# product makes a channel for each webinar itself. Without `enabled` there is nothing of it.

locals {
  count = var.enabled ? 1 : 0
}

# AWS writes here by a role of its own, which it makes together with the recording configuration.
resource "aws_s3_bucket" "this" {
  count         = local.count
  bucket_prefix = "${var.name}-live-"
  force_destroy = false
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = local.count
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count  = local.count
  bucket = aws_s3_bucket.this[0].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count  = local.count
  bucket = aws_s3_bucket.this[0].id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256" # IVS writes with no key of ours
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = local.count
  bucket = aws_s3_bucket.this[0].id
  rule {
    id     = "copied"
    status = "Enabled"
    filter {}
    expiration {
      days = var.recording_days
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count  = local.count
  bucket = aws_s3_bucket.this[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NobodyWithoutTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this[0].arn, "${aws_s3_bucket.this[0].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_ivs_recording_configuration" "this" {
  count = local.count
  name  = var.name
  # AWS would merge an interruption into one recording, and its place would be unknown.
  recording_reconnect_window_seconds = 0
  destination_configuration {
    s3 {
      bucket_name = aws_s3_bucket.this[0].id
    }
  }
  thumbnail_configuration {
    recording_mode = "DISABLED"
  }
}

resource "aws_ivs_playback_key_pair" "this" {
  count      = local.count
  name       = var.name
  public_key = var.public_key

  lifecycle {
    precondition {
      condition     = startswith(var.public_key, "-----BEGIN PUBLIC KEY-----")
      error_message = "With live_ivs_enabled, live_ivs_public_key is the PEM of the public key (docs/live.md says how to make it)."
    }
  }
}

# What webinars/ingest/ivs.py asks for. Channels are found by name, so the list cannot be narrowed.
locals {
  ivs = "arn:aws:ivs:${var.region}:${var.account_id}"
  policy = var.enabled ? jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "ivs:GetChannel", "ivs:CreateChannel", "ivs:UpdateChannel", "ivs:GetStream", "ivs:StopStream",
          "ivs:ListStreamKeys", "ivs:CreateStreamKey", "ivs:GetStreamKey", "ivs:BatchStartViewerSessionRevocation",
        ]
        Resource = ["${local.ivs}:channel/*", "${local.ivs}:stream-key/*"]
      },
      { Effect = "Allow", Action = ["ivs:ListChannels"], Resource = "${local.ivs}:channel/*" },
      {
        Effect   = "Allow"
        Action   = ["ivs:GetRecordingConfiguration", "ivs:CreateChannel", "ivs:UpdateChannel"]
        Resource = aws_ivs_recording_configuration.this[0].arn
      },
      { Effect = "Allow", Action = ["s3:ListBucket"], Resource = aws_s3_bucket.this[0].arn },
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = "${aws_s3_bucket.this[0].arn}/ivs/*" },
    ]
  }) : ""
}
