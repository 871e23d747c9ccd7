"""Settings and PromQL that alerts and dashboards share."""
