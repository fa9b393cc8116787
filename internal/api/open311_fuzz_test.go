package api

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a photo holds: it is refused, or comes out as a small picture that
// says nothing beside its pixels.
func FuzzPhoto(f *testing.F) {
	picture := image.NewRGBA(image.Rect(0, 0, 7, 5))
	picture.Set(1, 1, color.White)
	var j, p bytes.Buffer
	require.NoError(f, jpeg.Encode(&j, picture, nil))
	require.NoError(f, png.Encode(&p, picture))
	exif := "\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
	for _, seed := range []string{j.String(), p.String(), j.String()[:2] + exif + j.String()[2:], "", "\xff\xd8\xff", "GIF89a", j.String()[:100], "\x89PNG\r\n\x1a\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		turn := orientation(data)
		require.True(t, turn >= 1 && turn <= 8)
		if size, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && size.Width*size.Height > 1<<20 {
			t.Skip("bounded, but slow")
		}
		clean, media, err := cleanPhoto(data)
		if err != nil {
			return
		}
		require.Equal(t, media, http.DetectContentType(clean))
		require.NotContains(t, string(clean), "Exif")
		size, _, err := image.DecodeConfig(bytes.NewReader(clean))
		require.NoError(t, err)
		require.LessOrEqual(t, max(size.Width, size.Height), photoSide)
	})
}

// Whatever the body of a form: it is read within its bounds, or refused.
func FuzzForm311(f *testing.F) {
	part := "--b\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\nx\r\n"
	file := "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.jpg\"\r\n\r\nxx\r\n"
	for _, seed := range []string{part + file + "--b--\r\n", file + file + file + file + "--b--", part, "--b", "", "api_key=x&service_code=y", "%zz", "a=1;b=2"} {
		f.Add(seed, "multipart/form-data; boundary=b")
		f.Add(seed, "application/x-www-form-urlencoded")
	}
	f.Add("x", "multipart/form-data")
	f.Fuzz(func(t *testing.T, body, media string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/open311/v2/requests.json", bytes.NewReader([]byte(body)))
		r.Header.Set("Content-Type", media)
		q := &request{Request: r}
		photos, err := form311(q)
		if err != nil {
			require.Contains(t, []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge}, problemOf(err).Status, err.Error())
			return
		}
		require.LessOrEqual(t, len(photos), maxPhotos)
		size := 0
		for _, values := range q.PostForm {
			for _, v := range values {
				size += len(v)
			}
		}
		require.LessOrEqual(t, size, maxForm)
		_ = q.PostForm.Encode()
	})
}

// What is taken out of a public text is gone, and nothing else.
func TestScrub(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "Rp 5.000 di Jl. Veteran 12": "Rp 5.000 di Jl. Veteran 12", "SPG-2026-000123": "SPG-2026-000123", "+62 812-3456-7890": "[…]", "081234567890,": "[…],",
		"a.b+c@contoh.co.id": "[…]", "3275011203900001": "[…]", "3275015203900001": "[…]", "1234567890123456": "1234567890123456", "12345678901234567": "12345678901234567", "B 1234 ABC": "[…]", "jam 08.00": "jam 08.00",
	} {
		require.Equal(t, want, scrub(text), text)
	}
}
