package engine

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/util/bklog"
	"github.com/sirupsen/logrus"
	"github.com/tonistiigi/fsutil"
)

// solve runs a Dockerfile in the engine's BuildKit. The front end is the one
// compiled into this program, not the engine's: an old engine then knows
// today's Dockerfiles, and nothing is pulled for it.
func (e *Engine) solve(ctx context.Context, s ImageSpec, key string, export client.ExportEntry, progress func(ImageProgress)) error {
	ctx = bklog.WithLogger(ctx, silence())
	c, err := client.New(ctx, "", client.WithContextDialer(e.dialBuildKit), client.WithSessionDialer(e.dialSession))
	if err != nil {
		return fmt.Errorf("connecting to BuildKit: %w", err)
	}
	defer c.Close()
	w := newWatch(s.Name, progress)
	news := make(chan *client.SolveStatus)
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		for status := range news {
			w.see(status)
		}
	}()
	_, err = c.Build(ctx, solveOptions(s, key, export), "", builder.Build, news)
	<-seen
	if ctx.Err() != nil {
		return fmt.Errorf("building image %s: %w", s.Name, context.Cause(ctx))
	}
	return w.explain(err)
}

func solveOptions(s ImageSpec, key string, export client.ExportEntry) client.SolveOpt {
	files := synced{s}
	return client.SolveOpt{
		Exports:     []client.ExportEntry{export},
		LocalMounts: map[string]fsutil.FS{"context": files, "dockerfile": files},
		// BuildKit keeps what was sent under this key and sends only files
		// whose size or time differ; ours all have time 0, so that another
		// content needs another key.
		SharedKey:     key,
		FrontendAttrs: frontendAttrs(s),
	}
}

func frontendAttrs(s ImageSpec) map[string]string {
	attrs := map[string]string{
		"filename": s.Dockerfile,
		// its presence keeps the front end from handing over to one that a
		// `# syntax=` line names, which would have to be pulled
		"cmdline": "",
		// two builds then have the same creation times, and with equal files
		// the same image ID
		"build-arg:SOURCE_DATE_EPOCH": "0",
	}
	if s.NoCache {
		attrs["no-cache"] = "" // every stage
	}
	for name, value := range s.Args {
		attrs["build-arg:"+name] = value
	}
	return attrs
}

func (e *Engine) dialBuildKit(ctx context.Context, _ string) (net.Conn, error) {
	return e.client.DialHijack(ctx, "/grpc", "h2c", nil)
}

func (e *Engine) dialSession(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
	return e.client.DialHijack(ctx, "/session", proto, meta)
}

// silence keeps BuildKit's client from writing to stderr.
func silence() *logrus.Entry {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return logrus.NewEntry(l)
}
