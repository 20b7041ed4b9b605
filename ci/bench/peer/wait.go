package main

import (
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

const startupTimeout = 2 * time.Minute // the default minute is for one container on an idle machine

// waitFor is what users of testcontainers-go would write for the service, with its default poll
// interval of 100 ms: ForHTTP where it serves HTTP, otherwise ForListeningPort, or ForSQL when asked.
//
// Its PostgreSQL and MySQL modules wait for log lines of the official images (PostgreSQL's twice,
// because that image starts a temporary server first), which our recipes do not write, and put the
// password in the environment, which our recipes refuse: so the modules cannot be used as they are.
//
// OpenBao counts as ready when it answers at all, and Redis when its port does: the peer neither
// unseals the one nor forms a cluster of the other, which assay does within its time.
func (s *site) waitFor(service *service) (wait.Strategy, error) {
	port := portOf(service)
	switch service.Kind {
	case "openbao":
		return wait.ForHTTP("/v1/sys/health").WithPort(port).WithStartupTimeout(startupTimeout).
			WithStatusCodeMatcher(func(status int) bool { return status > 0 }), nil
	case "prometheus", "alertmanager":
		return wait.ForHTTP("/-/ready").WithPort(port).WithStartupTimeout(startupTimeout), nil
	case "http":
		return wait.ForHTTP(service.Path).WithPort(port).WithStartupTimeout(startupTimeout), nil
	case "postgres", "mysql":
		if s.given.wait == "sql" {
			return wait.ForSQL(port, driverOf(service), func(host string, port network.Port) string {
				return s.source(service, host, port.Port())
			}).WithStartupTimeout(startupTimeout), nil
		}
	}
	return wait.ForListeningPort(port).WithStartupTimeout(startupTimeout), nil
}

func driverOf(service *service) string {
	if service.Kind == "mysql" {
		return "mysql"
	}
	return "pgx"
}

// source is the data source name of a database, for the application's user.
func (s *site) source(service *service, host, port string) string {
	address := net.JoinHostPort(host, port)
	password := s.passwords[service.Password]
	if service.Kind == "mysql" {
		return fmt.Sprintf("%s:%s@tcp(%s)/%s", service.User, password, address, service.Database)
	}
	target := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(service.User, password),
		Host:     address,
		Path:     "/" + service.Database,
		RawQuery: "sslmode=disable",
	}
	return target.String()
}

func selectOne(service *service, source string) error {
	database, err := sql.Open(driverOf(service), source)
	if err != nil {
		return err
	}
	defer database.Close()
	var one int
	return database.QueryRow("SELECT 1").Scan(&one)
}
