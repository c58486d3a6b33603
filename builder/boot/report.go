package boot

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
)

// Report is what the same traffic did on two kernels.
type Report struct {
	Traffic Traffic `json:"traffic"`
	Stock   Course  `json:"stock"`
	Patched Course  `json:"patched"`
	// Machine tells what ran the guests.
	Machine string `json:"machine"`
}

// The names of a report's files.
const (
	BenchJSON = "bench.json"
	BenchCSV  = "bench.csv"
	BenchSVG  = "bench.svg"
	BenchPNG  = "bench.png"
)

// Write writes the report and its chart to a folder. The files appear by rename.
func (r Report) Write(dir string) error {
	page, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	svg, png, err := r.chart()
	if err != nil {
		return fmt.Errorf("drawing the chart: %w", err)
	}
	err = settle(dir,
		File{Name: BenchCSV, Data: r.table()}, File{Name: BenchSVG, Data: svg}, File{Name: BenchPNG, Data: png},
		File{Name: BenchJSON, Data: append(page, '\n')},
	)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// table returns the report as CSV, with a line for each kernel and second.
func (r Report) table() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"kernel", "second", "time_wait", "connected", "failed"})
	for _, c := range []Course{r.Stock, r.Patched} {
		for _, s := range c.Samples {
			row := []string{c.Release}
			for _, n := range []int64{s.Second, s.Waiting, s.Connected, s.Failed} {
				row = append(row, strconv.FormatInt(n, 10))
			}
			w.Write(row)
		}
	}
	w.Flush() // writing to memory gives no error
	return b.Bytes()
}
