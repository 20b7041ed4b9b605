package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
)

// site is what the containers of one measurement share: the order, the passwords, the label.
type site struct {
	order     *order
	given     arguments
	folder    string            // 0700, holds the password files
	passwords map[string]string // by key of the secret
}

func newSite(order *order, given arguments) (*site, error) {
	folder, err := os.MkdirTemp("", "assay-bench-")
	if err != nil {
		return nil, err
	}
	made := &site{order: order, given: given, folder: folder, passwords: map[string]string{}}
	for _, service := range order.Services {
		for _, secret := range service.Secrets {
			if err := made.makePassword(secret.Key); err != nil {
				made.close()
				return nil, err
			}
		}
	}
	return made, nil
}

func (s *site) close() {
	os.RemoveAll(s.folder)
}

// makePassword writes 128 random bits to a file of mode 0600, as assay does for a run.
func (s *site) makePassword(key string) error {
	if _, known := s.passwords[key]; known {
		return nil
	}
	bits := make([]byte, 16)
	if _, err := rand.Read(bits); err != nil {
		return err
	}
	s.passwords[key] = hex.EncodeToString(bits)
	return os.WriteFile(filepath.Join(s.folder, key), []byte(s.passwords[key]), 0o600)
}

func (s *site) imageOf(service *service) string {
	if s.given.image == "prepared" && service.Prepared != "" {
		return service.Prepared
	}
	return service.Image
}

// options are those of testcontainers.Run for a service. Bind mounts, not copied files: that is the
// faster of the two for testcontainers-go.
func (s *site) options(service *service) ([]testcontainers.ContainerCustomizer, error) {
	strategy, err := s.waitFor(service)
	if err != nil {
		return nil, err
	}
	binds := append([]string{}, service.Binds...)
	for _, secret := range service.Secrets {
		binds = append(binds, filepath.Join(s.folder, secret.Key)+":"+secret.Target+":ro")
	}
	return []testcontainers.ContainerCustomizer{
		testcontainers.WithExposedPorts(portOf(service)),
		testcontainers.WithLabels(map[string]string{benchLabel: s.given.label}),
		testcontainers.WithConfigModifier(func(config *container.Config) {
			must(json.Unmarshal(service.Config, config))
		}),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			must(json.Unmarshal(service.HostConfig, host))
			host.Binds = append(host.Binds, binds...)
		}),
		testcontainers.WithWaitStrategy(strategy),
	}, nil
}

func (s *site) newNetwork(ctx context.Context) (*testcontainers.DockerNetwork, error) {
	return network.New(ctx, network.CustomizeNetworkOption(
		func(request *client.NetworkCreateOptions) error {
			request.Labels[benchLabel] = s.given.label
			return nil
		}))
}

func portOf(service *service) string {
	return fmt.Sprintf("%d/tcp", service.Port)
}

// must is for bodies that start_stack wrote: a wrong one is a defect of the benchmark.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
