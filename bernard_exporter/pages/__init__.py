"""The inventory in a browser: pages made on the server, complete without JavaScript."""
