"""How the product is run: servers, balancer, cluster on one machine, infrastructure."""
