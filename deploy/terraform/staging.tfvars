# The same code in small: one zone's worth of everything.
environment     = "staging"
region          = "eu-central-1"
network_stack   = "rounds-staging-network"
log_days        = 14
secrets_version = 1

database = {
  instance_class  = "db.t4g.medium"
  storage_gib     = 50
  max_storage_gib = 100
  multi_az        = false
  replicas        = 0
  backup_days     = 7
  max_connections = 100
}

pooler = { cpu = 256, memory = 512, tasks = 2 }

cache = {
  node_type = "cache.t4g.small"
  nodes     = 1
}

services = {
  web        = { cpu = 512, memory = 1024, minimum = 1, maximum = 4, processes = 2, pool = 8 }
  realtime   = { cpu = 512, memory = 1024, minimum = 1, maximum = 4, processes = 1, pool = 8 }
  worker     = { cpu = 512, memory = 1024, minimum = 1, maximum = 2, processes = 2, pool = 2 }
  long       = { cpu = 512, memory = 2048, minimum = 1, maximum = 1, processes = 1, pool = 2, scratch_gib = 50 }
  sender     = { cpu = 512, memory = 1024, minimum = 1, maximum = 2, processes = 2, pool = 2 }
  transcoder = { cpu = 2048, memory = 4096, minimum = 1, maximum = 1, processes = 1, pool = 2, scratch_gib = 100 }
  ingest     = { cpu = 2048, memory = 4096, minimum = 1, maximum = 1, processes = 1, pool = 8 }
  beat       = { cpu = 256, memory = 512, minimum = 1, maximum = 1, processes = 1, pool = 1 }
}
