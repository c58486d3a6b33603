package main

import (
	"context"
	"sync"

	"github.com/sirupsen/logrus"

	"namibuild/builder"
	"namibuild/builder/engine"
	"namibuild/builder/prove"
)

// connection is a verb's connection to the engine. It is made when it is first needed; the
// verb closes it in any case.
type connection struct {
	open  func() (*engine.Engine, error)
	close func()
}

// connect prepares a connection.
func (a *app) connect(ctx context.Context) *connection {
	var made *engine.Engine
	open := sync.OnceValues(func() (*engine.Engine, error) {
		e, err := engine.Connect(ctx, engine.Options{Prefix: a.prefix, Entropy: envOr("NAMIBUILD_ENTROPY", "")})
		if err != nil {
			return nil, err
		}
		made = e
		info := e.Info()
		a.log.WithFields(logrus.Fields{"version": info.Version, "api": info.APIVersion, "cpus": info.CPUs}).Info("engine answers")
		return e, nil
	})
	return &connection{open, func() {
		if made != nil {
			made.Close()
		}
	}}
}

// forBuild opens the engine for a step of a build.
func (c *connection) forBuild() (builder.Engine, error) {
	e, err := c.open()
	if err != nil {
		return nil, err
	}
	return builder.Over(e), nil
}

// forGuest opens the engine for a boot that needs a container.
func (c *connection) forGuest(context.Context) (prove.Engine, error) {
	e, err := c.open()
	if err != nil {
		return nil, err
	}
	return prove.Over(e), nil
}
