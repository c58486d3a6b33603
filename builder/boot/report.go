package boot

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"

	"namibuild/builder/set"
)

// Report is what the same traffic did on two kernels.
type Report struct {
	Form    int     `json:"form"` // ReportForm
	Traffic Traffic `json:"traffic"`
	Stock   Course  `json:"stock"`
	Patched Course  `json:"patched"`
	// Machine tells what ran the guests.
	Machine string `json:"machine"`
}

// ReportForm is the form of a Report's record.
const ReportForm = 1

// Write puts the report and its chart into a folder: all files or none.
func (r Report) Write(dir string) error {
	r.Form = ReportForm
	page, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	svg, png, err := r.chart()
	if err != nil {
		return fmt.Errorf("drawing the chart: %w", err)
	}
	return update(dir,
		File{Name: set.BenchCSV, Data: r.table()}, File{Name: set.BenchSVG, Data: svg}, File{Name: set.BenchPNG, Data: png},
		File{Name: set.BenchFile, Data: append(page, '\n')},
	)
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
