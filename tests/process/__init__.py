"""The product as processes: started, stopped, killed and started again."""
