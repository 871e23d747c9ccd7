-- The exporter's user: it reads, and no more.
CREATE USER 'bernard'@'%';
GRANT SELECT ON dbbackups.* TO 'bernard'@'%';
