package boot

import (
	"fmt"
	"math"
	"strconv"

	"github.com/go-analyze/charts"
)

// The chart is drawn by go-analyze/charts. It adds 3.2 MB to the program, where
// gonum/plot with its twelve fonts added 7.7 MB.

// Sizes in pixels: those of the chart, of its upper panel, and of what stands
// above the curves of a panel.
const (
	chartWidth  = 960
	chartHeight = 710
	upperHeight = 378
	titleHeight = 34
	lineHeight  = 20
	legendLeft  = 90
)

// theme has a white background, so that the chart can be read on a dark page.
var theme = charts.GetTheme(charts.ThemeLight).WithBackgroundColor(charts.ColorWhite).WithTextColor(charts.ColorBlack)

// The colours of the curves. People who do not see red or green tell those of
// the kernels apart (Okabe and Ito).
var (
	limitColor   = charts.ColorRGB(0x90, 0x90, 0x90)
	stockColor   = charts.ColorRGB(0xd5, 0x5e, 0x00)
	patchedColor = charts.ColorRGB(0x00, 0x72, 0xb2)
)

// panel is one of the two parts of the chart.
type panel struct {
	title, x, y string
	top         float64 // the highest value that y must have room for
	curves      []curve
}

// curve is a line of a panel and its name in the legend. It has a value for each
// second.
type curve struct {
	name   string
	color  charts.Color
	values []float64
}

// chart draws the report as SVG and as PNG: sockets in TIME_WAIT above, failed
// connects below.
func (r Report) chart() (svg, png []byte, err error) {
	if svg, err = r.draw(charts.ChartOutputSVG); err != nil {
		return nil, nil, err
	}
	png, err = r.draw(charts.ChartOutputPNG)
	return svg, png, err
}

// draw draws the chart in one of the formats of package charts.
func (r Report) draw(format string) ([]byte, error) {
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: format, Width: chartWidth, Height: chartHeight, Theme: theme})
	p.FilledRect(0, 0, chartWidth, chartHeight, charts.ColorWhite, charts.ColorWhite, 0)
	if err := r.waiting().draw(p, 0, upperHeight); err != nil {
		return nil, err
	}
	if err := r.failed().draw(p, upperHeight, chartHeight); err != nil {
		return nil, err
	}
	return p.Bytes()
}

// draw draws the panel between two heights: title, legend and, 8 pixels below,
// out of reach of the letters, the curves.
func (a panel) draw(p *charts.Painter, from, to int) error {
	font := charts.FontStyle{FontSize: 12, FontColor: charts.ColorBlack}
	if a.title != "" {
		p.Text(a.title, (chartWidth-p.MeasureText(a.title, 0, font).Width())/2, from+titleHeight-10, 0, font)
		from += titleHeight
	}
	for _, c := range a.curves {
		from += lineHeight
		p.FilledRect(legendLeft, from-8, legendLeft+24, from-5, c.color, c.color, 0)
		p.Text(c.name, legendLeft+32, from, 0, font)
	}
	return p.Child(charts.PainterBoxOption(charts.NewBox(0, from+8, chartWidth, to))).LineChart(a.option())
}

// option returns what package charts draws the panel's axes and curves from.
func (a panel) option() charts.LineChartOption {
	var colors []charts.Color
	var values [][]float64
	for _, c := range a.curves {
		colors, values = append(colors, c.color), append(values, c.values)
	}
	o := charts.NewLineChartOptionWithData(values)
	o.Theme, o.LineStrokeWidth, o.Symbol = theme.WithSeriesColors(colors), 2, charts.Symbol{Shape: charts.SymbolNone}
	o.Padding = charts.NewBox(20, 10, 24, 10)
	step, steps := scale(a.top)
	o.YAxis[0] = charts.YAxisOption{
		Title: a.y, Min: charts.Ptr(0.0), Max: charts.Ptr(step * float64(steps)), LabelCount: steps + 1,
		PreferNiceIntervals: charts.Ptr(false), SpineLineShow: charts.Ptr(true),
		ValueFormatter: func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) },
	}
	o.XAxis.Title, o.XAxis.BoundaryGap = a.x, charts.Ptr(false)
	for second := range o.XAxis.Labels {
		o.XAxis.Labels[second] = strconv.Itoa(second)
	}
	o.XAxis.LabelCount = secondLabels(len(o.XAxis.Labels) - 1)
	return o
}

// scale divides 0 to top, or a little more, into at most six steps of 1, 2 or 5
// times a power of ten.
func scale(top float64) (step float64, steps int) {
	for power := 1.0; ; power *= 10 {
		for _, n := range []float64{1, 2, 5} {
			if steps := int(math.Ceil(top / (n * power))); steps <= 6 {
				return n * power, max(1, steps)
			}
		}
	}
}

// secondLabels returns how many labels a number of seconds is divided by. It
// returns 0, which leaves it to package charts, if no round step divides it.
func secondLabels(seconds int) int {
	for _, step := range []int{1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600} {
		if seconds%step == 0 && seconds/step <= 10 {
			return seconds/step + 1
		}
	}
	return 0
}

// waiting returns the upper panel.
func (r Report) waiting() panel {
	ports := curve{"all ports", limitColor, make([]float64, r.Traffic.Seconds+1)}
	for i := range ports.values {
		ports.values[i] = float64(r.Traffic.Ports)
	}
	curves := r.curves(
		func(s Sample) int64 { return s.Waiting },
		func(c Course) string {
			return fmt.Sprintf("%s: TIME_WAIT of %d s, sustains %s connects a second", c.Release, c.TimeWait, perSecond(c.Sustained))
		},
	)
	return panel{
		title: fmt.Sprintf("%d connects a second through %d ports", r.Traffic.Rate, r.Traffic.Ports),
		y:     "sockets in TIME_WAIT", top: 1.1 * float64(r.Traffic.Ports), curves: append([]curve{ports}, curves...),
	}
}

// failed returns the lower panel.
func (r Report) failed() panel {
	curves := r.curves(
		func(s Sample) int64 { return s.Failed },
		func(c Course) string {
			if first := c.FirstFailure(); first >= 0 {
				return fmt.Sprintf("%s: the first after %d s, %d in all", c.Release, first, c.Last().Failed)
			}
			return c.Release + ": none"
		},
	)
	return panel{
		x: "seconds of the guest's clock", y: "failed connects, all so far",
		top: float64(max(10, r.Stock.Last().Failed, r.Patched.Last().Failed)), curves: curves,
	}
}

// curves returns one value of each sample of both kernels. The patched kernel
// comes last, so its curve is drawn on top.
func (r Report) curves(of func(Sample) int64, name func(Course) string) []curve {
	all := []curve{{name(r.Stock), stockColor, nil}, {name(r.Patched), patchedColor, nil}}
	for i, c := range []Course{r.Stock, r.Patched} {
		for _, s := range c.Samples {
			all[i].values = append(all[i].values, float64(of(s)))
		}
	}
	return all
}
