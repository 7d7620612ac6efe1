output "address" {
  value = aws_db_instance.primary.address
}

output "identifier" {
  value = aws_db_instance.primary.identifier
}

output "arn" {
  value = aws_db_instance.primary.arn
}

output "subnet_group" {
  value = aws_db_subnet_group.this.name
}

output "replica_identifiers" {
  value = aws_db_instance.replica[*].identifier
}
