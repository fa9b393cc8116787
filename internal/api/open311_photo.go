package api

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"net/http"
)

// Bounds of a photo. What is larger than photoSide is made smaller.
const (
	maxPhoto    = 8 << 20    // bytes of one, as sent
	maxPhotos   = 3          // of one report
	maxPixels   = 24_000_000 // of a JPEG; a PNG has up to four times its bytes a pixel
	maxPNG      = 8_000_000
	photoSide   = 1600 // pixels of the longer side, as kept
	photoJPEG   = 85   // quality
	photosAbove = maxPhotos*maxPhoto + 1<<20
)

var (
	errPhotoType = errors.New("a photo must be JPEG or PNG")
	errPhotoSize = errors.New("a photo has at most 8 MiB, 24 megapixels as JPEG or 8 as PNG")
	errPhoto     = errors.New("the photo cannot be read: send it again as JPEG or PNG")
)

// cleanPhoto decodes a photo and encodes it anew: what a camera or a hand wrote
// beside the pixels (place, time, names, anything hidden) stays behind. Its
// type is what its bytes say.
func cleanPhoto(data []byte) (clean []byte, media string, err error) {
	if len(data) > maxPhoto {
		return nil, "", errPhotoSize
	}
	media = http.DetectContentType(data)
	most := map[string]int{"image/jpeg": maxPixels, "image/png": maxPNG}[media]
	if most == 0 {
		return nil, "", errPhotoType
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || size.Width <= 0 || size.Height <= 0 {
		return nil, "", errPhoto
	}
	if size.Width > most/size.Height {
		return nil, "", errPhotoSize
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, "", errPhoto
	}
	turn := 1
	if media == "image/jpeg" {
		turn = orientation(data)
	}
	small := turned(shrunk(picture), turn)
	var b bytes.Buffer
	if media == "image/png" {
		err = png.Encode(&b, small)
	} else {
		err = jpeg.Encode(&b, small, &jpeg.Options{Quality: photoJPEG})
	}
	if err != nil {
		return nil, "", errPhoto
	}
	return b.Bytes(), media, nil
}

// shrunk returns the pixels of a picture, each the mean of a square where it
// was larger than photoSide.
func shrunk(picture image.Image) *image.RGBA {
	b := picture.Bounds()
	n := (max(b.Dx(), b.Dy()) + photoSide - 1) / photoSide
	if n <= 1 {
		out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
		draw.Draw(out, out.Bounds(), picture, b.Min, draw.Src)
		return out
	}
	out := image.NewRGBA(image.Rect(0, 0, max(b.Dx()/n, 1), max(b.Dy()/n, 1)))
	strip := image.NewRGBA(image.Rect(0, 0, b.Dx(), n))
	for y := range out.Rect.Dy() {
		draw.Draw(strip, strip.Bounds(), picture, image.Pt(b.Min.X, b.Min.Y+y*n), draw.Src)
		for x := range out.Rect.Dx() {
			mean(out.Pix[out.PixOffset(x, y):], strip, x*n, min(b.Dx()-x*n, n), min(b.Dy()-y*n, n))
		}
	}
	return out
}

// mean sets one pixel to the mean of a square of the strip.
func mean(pixel []byte, strip *image.RGBA, left, wide, high int) {
	var sum [4]int
	for y := range high {
		at := strip.PixOffset(left, y)
		for x := range wide {
			for c := range sum {
				sum[c] += int(strip.Pix[at+4*x+c])
			}
		}
	}
	for c := range sum {
		pixel[c] = byte(sum[c] / max(wide*high, 1))
	}
}

// turned turns and mirrors a picture as Exif's orientation says (1 to 8), so
// that it stands upright without it.
func turned(in *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return in
	}
	w, h := in.Rect.Dx(), in.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation > 4 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			to := [...][2]int{{x, y}, {x, y}, {w - 1 - x, y}, {w - 1 - x, h - 1 - y}, {x, h - 1 - y}, {y, x}, {h - 1 - y, x}, {h - 1 - y, w - 1 - x}, {y, w - 1 - x}}[orientation]
			copy(out.Pix[out.PixOffset(to[0], to[1]):][:4], in.Pix[in.PixOffset(x, y):][:4])
		}
	}
	return out
}

// takePhoto cleans a photo; one at a time, since a picture fills memory.
func (s *Server) takePhoto(ctx context.Context, data []byte) (clean []byte, media string, err error) {
	select {
	case s.photos <- struct{}{}:
		defer func() { <-s.photos }()
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	return cleanPhoto(data)
}
