// The other side of the benchmarks: the same work done with testcontainers-go.
//
//	peer one SERVICE --order FILE --label NAME [--image prepared] [--wait port|sql]
//	peer stack       --order FILE --label NAME
//	peer clean       --label NAME
//
// The order is what start_stack prints with `order`: the services of the Compose file as bodies for
// the Engine API, with the image that assay resolved for each. So both sides run the same images with
// the same settings, and nothing has to be kept in step by hand.
//
// One measurement a process, one JSON object on stdout. The clock starts before the create call and
// after the engine was found; finding it is not measured on either side.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

const benchLabel = "io.assay.bench"

type arguments struct {
	work    string
	service string
	order   string
	label   string
	image   string
	wait    string
}

func readArguments(line []string) (arguments, error) {
	var given arguments
	if len(line) == 0 {
		return given, fmt.Errorf("usage: peer one SERVICE|stack|clean [flags]")
	}
	given.work, line = line[0], line[1:]
	if given.work == "one" {
		if len(line) == 0 {
			return given, fmt.Errorf("peer one: which service?")
		}
		given.service, line = line[0], line[1:]
	}
	flags := flag.NewFlagSet("peer", flag.ContinueOnError)
	flags.StringVar(&given.order, "order", "", "file with what to start")
	flags.StringVar(&given.label, "label", "", "value of the label "+benchLabel)
	flags.StringVar(&given.image, "image", "recipe", "recipe, or prepared: assay's prepared image")
	flags.StringVar(&given.wait, "wait", "port", "how a database is waited for: port or sql")
	if err := flags.Parse(line); err != nil {
		return given, err
	}
	if given.label == "" {
		return given, fmt.Errorf("peer: --label is missing")
	}
	return given, nil
}

// warmUp makes the library find its engine, so that this is not measured.
func warmUp(ctx context.Context) error {
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return err
	}
	defer provider.Close()
	if err := provider.Health(ctx); err != nil {
		return err
	}
	_, err = provider.DaemonHost(ctx)
	return err
}

func run(ctx context.Context, given arguments) (any, error) {
	if given.work == "clean" {
		return clean(ctx, given.label)
	}
	order, err := readOrder(given.order)
	if err != nil {
		return nil, err
	}
	if err := warmUp(ctx); err != nil {
		return nil, err
	}
	site, err := newSite(order, given)
	if err != nil {
		return nil, err
	}
	defer site.close()
	switch given.work {
	case "one":
		return measureOne(ctx, site, given.service)
	case "stack":
		return measureStack(ctx, site)
	}
	return nil, fmt.Errorf("peer: there is no work %q", given.work)
}

func main() {
	log.SetDefault(stdlog.New(io.Discard, "", 0))
	given, err := readArguments(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	result, err := run(ctx, given)
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(1)
	}
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
