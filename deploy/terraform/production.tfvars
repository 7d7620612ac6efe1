# Names to fill in stand in site.auto.tfvars (not in git); sizes stand here.
environment     = "production"
region          = "eu-central-1"
network_stack   = "rounds-production-network"
log_days        = 90
secrets_version = 1

database = {
  instance_class  = "db.r7g.2xlarge"
  storage_gib     = 400
  max_storage_gib = 2000
  multi_az        = true
  replicas        = 1
  backup_days     = 35
  max_connections = 256 # what `manage.py capacity` says that it bears
}

pooler = { cpu = 1024, memory = 2048, tasks = 2 }

cache = {
  node_type = "cache.r7g.large"
  nodes     = 2
}

# Three at least of what doctors meet: one for each zone.
services = {
  web        = { cpu = 2048, memory = 4096, minimum = 3, maximum = 40, processes = 4, pool = 8 }
  realtime   = { cpu = 2048, memory = 4096, minimum = 3, maximum = 30, processes = 2, pool = 8 }
  worker     = { cpu = 1024, memory = 2048, minimum = 2, maximum = 20, processes = 4, pool = 2 }
  long       = { cpu = 1024, memory = 4096, minimum = 1, maximum = 4, processes = 2, pool = 2, scratch_gib = 100 }
  sender     = { cpu = 1024, memory = 2048, minimum = 2, maximum = 6, processes = 4, pool = 2 }
  transcoder = { cpu = 8192, memory = 16384, minimum = 1, maximum = 6, processes = 1, pool = 2, scratch_gib = 200 }
  ingest     = { cpu = 4096, memory = 8192, minimum = 2, maximum = 6, processes = 1, pool = 8, scratch_gib = 30 }
  beat       = { cpu = 256, memory = 1024, minimum = 2, maximum = 2, processes = 1, pool = 1 }
}
