"""`script/cluster`: the processes of production as a replica set on one machine, to restart, kill and load them."""
