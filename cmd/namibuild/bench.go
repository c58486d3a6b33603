package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"namibuild/builder/boot"
	"namibuild/builder/event"
	"namibuild/builder/prove"
	"namibuild/builder/set"
)

func (a *app) benchCommand() *cobra.Command {
	f := bootFlags{}
	traffic := boot.Traffic{Ports: 500, Rate: 25, Seconds: 150}
	stock := ""
	c := &cobra.Command{
		Use:   "bench SET",
		Short: "Measure the connections that the patched and the stock kernel sustain",
		Long: `bench boots two kernels in QEMU, one after the other: the stock kernel, which "build
RECIPE --stock" makes, and that of SET, the output directory of a build. In each of
them a client opens and closes connections at a steady rate through a small range of
ports, over the loopback interface. Every connection leaves its port in TIME_WAIT.
bench counts the sockets in TIME_WAIT and the connects that fail because no port is
free. Then it tries half as many connects again as the ports can take and counts those
that succeed: the rate that the kernel sustains, which should be ports / length of
TIME_WAIT.

Reuse of ports in TIME_WAIT (tcp_tw_reuse), which newer kernels have on for the
loopback interface only, is off. The limit on their number (tcp_max_tw_buckets), which
is low in a small guest, is twice the ports. Under TCG the same kernels give the same
figures.

` + machineHelp + `

SET gets bench.json, bench.csv and the chart, bench.svg and bench.png. For a release they
go to the folder RELEASE-proof beside it.`,
		Example: `  namibuild bench out/demo
  namibuild bench out/demo --stock out/demo-stock --ports 1000 --rate 100`,
		Args: onePath("a set (an output directory of build)"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.bench(c.Context(), args[0], stock, traffic, f)
		},
	}
	c.Flags().StringVar(&stock, "stock", "", "use the stock kernel in `DIR` (default SET-stock)")
	c.Flags().IntVar(&traffic.Ports, "ports", traffic.Ports, "give the client `N` local ports")
	c.Flags().IntVar(&traffic.Rate, "rate", traffic.Rate, "open `N` connections a second")
	c.Flags().IntVar(&traffic.Seconds, "seconds", traffic.Seconds, "run for `N` seconds of the guest's clock")
	f.addMachine(c)
	f.build.addImages(c)
	f.build.addOffline(c)
	return c
}

// noStockError says that there is no stock kernel to compare with.
type noStockError struct{ set, stock string }

func (e noStockError) Error() string {
	return fmt.Sprintf("comparing %s: there is no stock kernel in %s", e.set, e.stock)
}

func (a *app) bench(ctx context.Context, path, stock string, traffic boot.Traffic, f bootFlags) error {
	if err := traffic.Check(); err != nil {
		return usageError{err}
	}
	path = set.DirOf(path)
	if stock == "" {
		stock = path + "-stock"
		if _, err := os.Stat(stock); err != nil {
			return noStockError{path, stock}
		}
	} else if err := exists(stock, "the set of the stock kernel"); err != nil {
		return err
	}
	link := a.connect(ctx)
	defer link.close()
	o, err := f.options(a, link)
	if err != nil {
		return err
	}
	_, err = perform(ctx, a, func(tell event.Sink) (boot.Report, error) {
		o.Tell = tell
		return prove.Bench(ctx, prove.BenchOptions{MachineOptions: o, Set: path, Stock: stock, Traffic: traffic})
	}, func(r boot.Report) error {
		dir := path
		if place, err := set.Find(path); err == nil {
			dir = prove.RecordsDir(place)
		}
		return printReport(os.Stdout, r, dir)
	})
	return err
}

// printReport prints the two kernels as a table.
func printReport(out io.Writer, r boot.Report, dir string) error {
	fmt.Fprintf(out, "\n%d connects a second through %d ports, %d s (%s)\n", r.Traffic.Rate, r.Traffic.Ports, r.Traffic.Seconds, r.Machine)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kernel\tTIME_WAIT\tmost waiting\tconnected\tfailed\tsustains\tports/TIME_WAIT\t")
	for _, c := range []boot.Course{r.Stock, r.Patched} {
		most := int64(0)
		for _, s := range c.Samples {
			most = max(most, s.Waiting)
		}
		fmt.Fprintf(w, "%s\t%d s\t%d\t%d\t%d\t%.1f/s\t%.1f/s\t\n", c.Release, c.TimeWait, most, c.Last().Connected, c.Last().Failed, c.Sustained, c.Possible)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "chart: %s, %s; figures: %s, %s\n", filepath.Join(dir, set.BenchSVG), set.BenchPNG, set.BenchFile, set.BenchCSV)
	return err
}
