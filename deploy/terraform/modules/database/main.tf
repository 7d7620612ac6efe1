# PostgreSQL on RDS: two zones, replicas, point-in-time recovery. What was acknowledged lives here and nowhere else.

resource "aws_kms_key" "this" {
  description             = "${var.name}: data at rest"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-database"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres15"

  dynamic "parameter" {
    for_each = {
      "rds.force_ssl"                       = { value = "1", method = "immediate" }
      "max_connections"                     = { value = tostring(var.max_connections), method = "pending-reboot" }
      "synchronous_commit"                  = { value = "on", method = "immediate" } # an acknowledgement means: committed
      "idle_in_transaction_session_timeout" = { value = "60000", method = "immediate" }
      "lock_timeout"                        = { value = "10000", method = "immediate" }
      "log_min_duration_statement"          = { value = "500", method = "immediate" }
      "log_lock_waits"                      = { value = "1", method = "immediate" }
      "log_autovacuum_min_duration"         = { value = "1000", method = "immediate" }
      "autovacuum_vacuum_scale_factor"      = { value = "0.05", method = "immediate" }
      "shared_preload_libraries"            = { value = "pg_stat_statements", method = "pending-reboot" }
    }
    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.method
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

data "aws_iam_policy_document" "monitoring" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name               = "${var.name}-database-monitoring"
  assume_role_policy = data.aws_iam_policy_document.monitoring.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "primary" {
  identifier     = var.name
  engine         = "postgres"
  engine_version = "15" # the pg_dump of the image is Debian 12's: it refuses newer servers
  instance_class = var.instance_class
  db_name        = "rounds"
  username       = "rounds"

  password_wo         = var.password
  password_wo_version = var.password_version

  storage_type          = "gp3"
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.max_storage_gib
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  backup_retention_period    = var.backup_days # point in time, to the second, within these days
  backup_window              = "02:00-03:00"
  maintenance_window         = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot      = true
  delete_automated_backups   = false
  deletion_protection        = var.protected
  skip_final_snapshot        = !var.protected
  final_snapshot_identifier  = var.protected ? "${var.name}-final" : null
  auto_minor_version_upgrade = true
  apply_immediately          = false

  monitoring_interval                   = 15
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = aws_kms_key.this.arn
  performance_insights_retention_period = 7
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]

  tags = { Backup = "daily" }
}

resource "aws_db_instance" "replica" {
  count = var.replicas

  identifier             = "${var.name}-replica-${count.index + 1}"
  replicate_source_db    = aws_db_instance.primary.identifier
  instance_class         = var.instance_class
  storage_type           = "gp3"
  max_allocated_storage  = var.max_storage_gib
  storage_encrypted      = true
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  skip_final_snapshot    = true

  monitoring_interval             = 15
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
}
