package boot

import (
	"bytes"
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The chart's size, and its colours: two that people who see no red or no green
// tell apart (Okabe and Ito).
const (
	chartWidth  = 22 * vg.Centimeter
	chartHeight = 15 * vg.Centimeter
	chartDPI    = 110
)

var (
	stockColor   = color.RGBA{R: 0xd5, G: 0x5e, A: 0xff}
	patchedColor = color.RGBA{G: 0x72, B: 0xb2, A: 0xff}
	limitColor   = color.Gray{Y: 0x90}
)

// chart draws the report, as SVG and as PNG: sockets in TIME_WAIT above, failed
// connects below.
func (r Report) chart() (svg, png []byte, err error) {
	panels := [][]*plot.Plot{{r.waiting()}, {r.failed()}}
	vector := vgsvg.New(chartWidth, chartHeight)
	raster := vgimg.NewWith(vgimg.UseWH(chartWidth, chartHeight), vgimg.UseDPI(chartDPI))
	for _, canvas := range []vg.CanvasSizer{vector, raster} {
		white(canvas)
		tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadY: 4 * vg.Millimeter, PadTop: 3 * vg.Millimeter,
			PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter, PadRight: 4 * vg.Millimeter}
		for i, row := range plot.Align(panels, tiles, draw.New(canvas)) {
			panels[i][0].Draw(row[0])
		}
	}
	var s, p bytes.Buffer
	if _, err := vector.WriteTo(&s); err != nil {
		return nil, nil, err
	}
	_, err = vgimg.PngCanvas{Canvas: raster}.WriteTo(&p)
	return s.Bytes(), p.Bytes(), err
}

// white fills a canvas, so that the chart can be read on a dark page.
func white(c vg.CanvasSizer) {
	w, h := c.Size()
	c.SetColor(color.White)
	c.Fill(vg.Rectangle{Max: vg.Point{X: w, Y: h}}.Path())
}

// panel is a plot over the guest's seconds.
func (r Report) panel(title, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.Y.Label.Text = title, y
	p.Title.TextStyle.Font.Size, p.Title.Padding = vg.Points(12), vg.Points(6)
	p.X.Min, p.X.Max, p.Y.Min = 0, float64(r.Traffic.Seconds), 0
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.YOffs, p.Legend.XOffs, p.Legend.Padding = -vg.Points(4), vg.Points(8), vg.Points(2)
	p.Add(plotter.NewGrid())
	return p
}

// waiting is the upper panel. Its scale leaves room for the legend.
func (r Report) waiting() *plot.Plot {
	p := r.panel(fmt.Sprintf("%d connects a second through %d ports", r.Traffic.Rate, r.Traffic.Ports), "sockets in TIME_WAIT")
	p.Y.Max = float64(r.Traffic.Ports) * 1.45
	limit := plotter.NewFunction(func(float64) float64 { return float64(r.Traffic.Ports) })
	limit.Color, limit.Dashes = limitColor, []vg.Length{vg.Points(4), vg.Points(4)}
	p.Add(limit)
	of := func(s Sample) int64 { return s.Waiting }
	r.lines(p, of, func(c Course) string {
		return fmt.Sprintf("%s: TIME_WAIT of %d s, sustains %s connects a second", c.Release, c.TimeWait, perSecond(c.Sustained))
	})
	p.Legend.Add("all ports", limit)
	return p
}

// failed is the lower panel.
func (r Report) failed() *plot.Plot {
	p := r.panel("", "failed connects, all so far")
	p.X.Label.Text = "seconds of the guest's clock"
	p.Y.Max = max(10, 1.35*float64(max(r.Stock.Last().Failed, r.Patched.Last().Failed)))
	of := func(s Sample) int64 { return s.Failed }
	r.lines(p, of, func(c Course) string {
		if first := c.FirstFailure(); first >= 0 {
			return fmt.Sprintf("%s: the first after %d s, %d in all", c.Release, first, c.Last().Failed)
		}
		return c.Release + ": none"
	})
	return p
}

// lines adds the courses of both kernels; patched last, so above.
func (r Report) lines(p *plot.Plot, of func(Sample) int64, name func(Course) string) {
	for _, c := range []struct {
		Course
		color.Color
	}{{r.Stock, stockColor}, {r.Patched, patchedColor}} {
		points := make(plotter.XYs, len(c.Samples))
		for i, s := range c.Samples {
			points[i] = plotter.XY{X: float64(s.Second), Y: float64(of(s))}
		}
		line := &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: c.Color, Width: vg.Points(2)}}
		p.Add(line)
		p.Legend.Add(name(c.Course), line)
	}
}
