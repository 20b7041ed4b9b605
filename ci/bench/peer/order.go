package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// What start_stack prints with `order`.
type order struct {
	Services []service `json:"services"`
}

type service struct {
	Name       string          `json:"name"`
	Image      string          `json:"image"`
	Prepared   string          `json:"prepared"` // assay's prepared image; "" when it has none
	Kind       string          `json:"kind"`
	Port       int             `json:"port"`
	User       string          `json:"user"`
	Database   string          `json:"database"`
	Password   string          `json:"password"` // key of a secret
	Path       string          `json:"path"`
	Config     json.RawMessage `json:"config"`      // of POST /containers/create
	HostConfig json.RawMessage `json:"host_config"` // likewise
	Binds      []string        `json:"binds"`
	Secrets    []secret        `json:"secrets"`
	DependsOn  []string        `json:"depends_on"`
}

type secret struct {
	Key    string `json:"key"`
	Target string `json:"target"`
}

func readOrder(path string) (*order, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read := new(order)
	if err := json.Unmarshal(text, read); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return read, nil
}

func (o *order) find(name string) (*service, error) {
	for i := range o.Services {
		if o.Services[i].Name == name {
			return &o.Services[i], nil
		}
	}
	return nil, fmt.Errorf("the order has no service %q", name)
}
