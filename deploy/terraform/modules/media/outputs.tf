output "bucket" {
  value = aws_s3_bucket.this.bucket
}

output "bucket_arn" {
  value = aws_s3_bucket.this.arn
}

output "bucket_domain" {
  value = aws_s3_bucket.this.bucket_regional_domain_name
}

output "key_id" {
  value = aws_cloudfront_public_key.this.id
}

output "distribution_id" {
  value = aws_cloudfront_distribution.this.id
}

output "distribution_domain" {
  value = aws_cloudfront_distribution.this.domain_name
}

output "distribution_zone_id" {
  value = aws_cloudfront_distribution.this.hosted_zone_id
}
