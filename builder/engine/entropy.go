package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// Where a container's randomness comes from.
const (
	Rngd    = "rngd in a sidecar container"
	Urandom = "/dev/urandom mapped over /dev/random"
)

// rngd is where every builder image has its sidecar's program.
const rngd = "/usr/lib/namibuild/rngd.sh"

// settle is how long a sidecar must have lived to be believed: rngd starts
// before it finds out that it may not feed the pool.
const settle = time.Second

// Entropy says which way the container got its randomness.
type Entropy struct {
	// Source is Rngd, Urandom, or empty where none was asked for.
	Source string
	// Reason says why it is not Rngd.
	Reason string
}

// provideEntropy starts rngd beside the build. It is the kernel's pool that it
// feeds, so that it needs not be in the build's own container, which stays
// without any privilege. Where the engine does not let it, /dev/urandom is
// mapped into the build's container as /dev/random.
func (c *Container) provideEntropy(ctx context.Context) ([]container.DeviceMapping, error) {
	if !c.spec.Entropy {
		return nil, nil
	}
	reason := c.startRngd(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if reason == "" {
		c.entropy = Entropy{Source: Rngd}
		return nil, nil
	}
	c.entropy = Entropy{Source: Urandom, Reason: reason}
	return []container.DeviceMapping{{PathOnHost: "/dev/urandom", PathInContainer: "/dev/random", CgroupPermissions: "rwm"}}, nil
}

// startRngd starts the sidecar and says why it does not run; empty: it does.
func (c *Container) startRngd(ctx context.Context) (reason string) {
	host := cage()
	host.CapAdd = []string{"SYS_ADMIN"} // RNDADDENTROPY asks for it, random(4)
	host.AutoRemove = true
	config := c.config()
	config.Entrypoint, config.Env, config.User = []string{rngd}, nil, "0:0"
	p, err := c.startHelper(ctx, "-rngd", config, host)
	if err != nil {
		return err.Error()
	}
	select {
	case <-ctx.Done():
	case <-time.After(settle):
	case end := <-p.exited:
		return p.lastWords(end)
	}
	return ""
}

// lastWords says why a helper ended: its last line of output, if it had any.
func (p *process) lastWords(end ended) string {
	select {
	case <-p.drained:
	case <-time.After(settle):
	}
	if end.err != nil {
		return end.err.Error()
	}
	lines := strings.Split(strings.TrimSpace(p.tail.String()), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return fmt.Sprintf("%s (exit status %d)", last, end.code)
	}
	return fmt.Sprintf("exit status %d", end.code)
}
