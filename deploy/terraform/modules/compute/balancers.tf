# Browsers come by the application balancer, presenters by the network balancer.

resource "aws_lb" "site" {
  name                       = "${var.name}-site"
  load_balancer_type         = "application"
  subnets                    = var.public_subnet_ids
  security_groups            = [var.balancer_group_id]
  idle_timeout               = 60 # gunicorn keeps connections for 75 s, sockets are pinged every 20 s
  drop_invalid_header_fields = true
  xff_header_processing_mode = "append" # TRUSTED_PROXIES=1 counts on it
  enable_deletion_protection = var.protected
}

resource "aws_lb_target_group" "http" {
  for_each = { web = 8001, realtime = 8002 }

  name                          = "${var.name}-${each.key}"
  port                          = each.value
  protocol                      = "HTTP"
  target_type                   = "ip"
  vpc_id                        = var.vpc_id
  deregistration_delay          = 20
  load_balancing_algorithm_type = "least_outstanding_requests"

  # Not needed for correctness: any replica can take any socket. It spares a reconnecting browser a cold one.
  stickiness {
    enabled         = each.key == "realtime"
    type            = "lb_cookie"
    cookie_duration = 3600
  }

  health_check {
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "plain" {
  load_balancer_arn = aws_lb.site.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.site.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.http["web"].arn
  }
}

# For machines inside only: what state the parts are in, the figures, and nginx's RTMP callbacks.
resource "aws_lb_listener_rule" "inside_only" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1
  condition {
    path_pattern {
      values = ["/readyz", "/metrics", "/internal/*"]
    }
  }
  action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "not found"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "realtime" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10
  condition {
    path_pattern {
      values = ["/ws/*"]
    }
  }
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.http["realtime"].arn
  }
}

resource "aws_lb" "ingest" {
  name                             = "${var.name}-ingest"
  load_balancer_type               = "network"
  subnets                          = var.public_subnet_ids
  security_groups                  = [var.ingest_balancer_group_id]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.protected
}

resource "aws_lb_target_group" "ingest" {
  name                 = "${var.name}-ingest"
  port                 = 1935
  protocol             = "TCP"
  target_type          = "ip"
  vpc_id               = var.vpc_id
  preserve_client_ip   = true # the door counts tries by address
  deregistration_delay = 60
  health_check {
    protocol            = "TCP"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

# Stream keys are secrets: RTMPS, never plain RTMP.
resource "aws_lb_listener" "ingest" {
  load_balancer_arn = aws_lb.ingest.arn
  port              = 443
  protocol          = "TLS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.ingest.arn
  }
}

resource "aws_wafv2_web_acl" "site" {
  name  = var.name
  scope = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "address-rate"
    priority = 1
    action {
      block {
        custom_response {
          response_code = 429
          response_header {
            name  = "Retry-After"
            value = "60"
          }
        }
      }
    }
    statement {
      rate_based_statement {
        limit                 = var.requests_per_address
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "address-rate"
      sampled_requests_enabled   = true
    }
  }

  # Counted, not blocked: moderators write HTML, lists of people are longer than 8 KB, and Django checks both itself.
  dynamic "rule" {
    for_each = {
      AWSManagedRulesAmazonIpReputationList = { priority = 10, counted = [] }
      AWSManagedRulesCommonRuleSet          = { priority = 20, counted = ["SizeRestrictions_BODY", "CrossSiteScripting_BODY"] }
      AWSManagedRulesKnownBadInputsRuleSet  = { priority = 30, counted = [] }
      AWSManagedRulesSQLiRuleSet            = { priority = 40, counted = ["SQLi_BODY"] }
    }
    content {
      name     = rule.key
      priority = rule.value.priority
      override_action {
        none {}
      }
      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key
          dynamic "rule_action_override" {
            for_each = rule.value.counted
            content {
              name = rule_action_override.value
              action_to_use {
                count {}
              }
            }
          }
        }
      }
      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "site" {
  resource_arn = aws_lb.site.arn
  web_acl_arn  = aws_wafv2_web_acl.site.arn
}
