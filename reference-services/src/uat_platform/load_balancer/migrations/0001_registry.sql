CREATE TABLE load_balancer_registrations (
    service VARCHAR(100) NOT NULL,
    id VARCHAR(200) NOT NULL,
    url VARCHAR(300) NOT NULL,
    version VARCHAR(100) NOT NULL,
    zone VARCHAR(100) NOT NULL,
    weight INTEGER NOT NULL,
    lease DOUBLE PRECISION NOT NULL,
    health VARCHAR(300) NOT NULL,
    metrics VARCHAR(300) NOT NULL,
    PRIMARY KEY (service, id)
);
