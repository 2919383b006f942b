"""GraphPNAS: an autoregressive generator of graphs that learns a distribution over good cells."""
