package main

import (
	"context"
	"errors"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

type cleanResult struct {
	Containers int `json:"containers"`
	Networks   int `json:"networks"`
}

// clean removes what an interrupted measurement left: only what carries our label.
func clean(ctx context.Context, label string) (*cleanResult, error) {
	engine, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	filters := make(client.Filters).Add("label", benchLabel+"="+label)
	removed := new(cleanResult)
	containers, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, one := range containers.Items {
		_, err := engine.ContainerRemove(ctx, one.ID,
			client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		problems = append(problems, err)
		removed.Containers++
	}
	networks, err := engine.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
	if err != nil {
		return nil, err
	}
	for _, one := range networks.Items {
		_, err := engine.NetworkRemove(ctx, one.ID, client.NetworkRemoveOptions{})
		problems = append(problems, err)
		removed.Networks++
	}
	return removed, errors.Join(problems...)
}
