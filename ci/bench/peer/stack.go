package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
)

type stackResult struct {
	Ready    float64            `json:"ready_ms"` // first create to all ready
	Down     float64            `json:"down_ms"`
	Peak     int64              `json:"peak_kib"` // VmHWM of this process
	Services map[string]float64 `json:"services"` // ready, since the beginning
}

// started is one service on its way; began is closed once its container runs (or never will).
type started struct {
	service *service
	made    *testcontainers.DockerContainer
	began   chan struct{}
	once    sync.Once
	ready   float64
	err     error
}

func (s *started) hasBegun() {
	s.once.Do(func() { close(s.began) })
}

// measureStack starts every service at once, each as soon as the containers that it depends on run
// (the engine's resolver may let the look-up of an unknown name hang for seconds), and then ends all
// of them at once. A network of its own, as a user who wants names would make it.
func measureStack(ctx context.Context, site *site) (*stackResult, error) {
	result := &stackResult{Services: map[string]float64{}}
	began := time.Now()
	net, err := site.newNetwork(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]*started{}
	for i := range site.order.Services {
		service := &site.order.Services[i]
		all[service.Name] = &started{service: service, began: make(chan struct{})}
	}
	inParallel(all, func(one *started) {
		one.err = site.startInStack(ctx, one, all, net)
		one.hasBegun()
		one.ready = milliseconds(began)
	})
	result.Ready = milliseconds(began)
	ended := time.Now()
	inParallel(all, func(one *started) {
		one.err = errors.Join(one.err, testcontainers.TerminateContainer(one.made))
	})
	err = net.Remove(ctx)
	result.Down = milliseconds(ended)
	for name, one := range all {
		result.Services[name] = one.ready
		if one.err != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", name, one.err))
		}
	}
	result.Peak = peakMemory()
	return result, err
}

func (s *site) startInStack(ctx context.Context, one *started, all map[string]*started,
	net *testcontainers.DockerNetwork) error {
	for _, name := range one.service.DependsOn {
		if other, known := all[name]; known {
			<-other.began
		}
	}
	options, err := s.options(one.service)
	if err != nil {
		return err
	}
	options = append(options, network.WithNetwork([]string{one.service.Name}, net),
		testcontainers.WithAdditionalLifecycleHooks(testcontainers.ContainerLifecycleHooks{
			PostStarts: []testcontainers.ContainerHook{
				func(context.Context, testcontainers.Container) error {
					one.hasBegun()
					return nil
				},
			},
		}))
	one.made, err = testcontainers.Run(ctx, s.imageOf(one.service), options...)
	return err
}

func inParallel(all map[string]*started, work func(one *started)) {
	var group sync.WaitGroup
	for _, one := range all {
		group.Add(1)
		go func() {
			defer group.Done()
			work(one)
		}()
	}
	group.Wait()
}

func peakMemory() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(text), "\n") {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
			return kib
		}
	}
	return 0
}
