package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
)

type oneResult struct {
	Waited float64 `json:"waited_ms"` // create to testcontainers-go's own "ready"
	Ready  float64 `json:"ready_ms"`  // create to first SELECT 1
	Tries  int     `json:"tries"`     // of that SELECT: more than 1 means that "ready" was too early
	Down   float64 `json:"down_ms"`
}

// measureOne is about the container only: the network is made before the clock starts, because not
// every engine has a default one (a private engine of assay's has none).
func measureOne(ctx context.Context, site *site, name string) (*oneResult, error) {
	if err := mysqldriver.SetLogger(log.New(io.Discard, "", 0)); err != nil {
		return nil, err
	}
	service, err := site.order.find(name)
	if err != nil {
		return nil, err
	}
	options, err := site.options(service)
	if err != nil {
		return nil, err
	}
	net, err := site.newNetwork(ctx)
	if err != nil {
		return nil, err
	}
	options = append(options, network.WithNetwork(nil, net))
	result := new(oneResult)
	started := time.Now()
	made, err := testcontainers.Run(ctx, site.imageOf(service), options...)
	result.Waited = milliseconds(started)
	if err == nil {
		err = site.firstSelect(ctx, made, service, result)
		result.Ready = milliseconds(started)
	}
	ended := time.Now()
	if gone := testcontainers.TerminateContainer(made); err == nil {
		err = gone
	}
	result.Down = milliseconds(ended)
	return result, errors.Join(err, net.Remove(ctx))
}

// firstSelect tries again every 10 ms: the port answers before the server does.
func (s *site) firstSelect(ctx context.Context, made testcontainers.Container, service *service,
	result *oneResult) error {
	host, err := made.Host(ctx)
	if err != nil {
		return err
	}
	port, err := made.MappedPort(ctx, portOf(service))
	if err != nil {
		return err
	}
	source := s.source(service, host, port.Port())
	for {
		result.Tries++
		if err = selectOne(service, source); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: no SELECT: %w", service.Name, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
