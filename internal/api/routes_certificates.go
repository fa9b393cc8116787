package api

import (
	"net/http"

	"github.com/simpang-id/simpang/internal/certificate"
)

// certificateForms are the formats of certificates of completeness.
var certificateForms = []string{"csv", "html"}

func certificateParams(own ...param) []param {
	return append(own,
		param{Name: "date", Type: isDay, Doc: "day in the city's zone; default today"},
		param{Name: "revision", Type: isWhole, Min: 1, Max: 1 << 31, Doc: "default the newest"},
	)
}

// certificateRoutes: dishub runs the devices, the auditor reads proofs; the
// counts of meters are none of money. Who sees money learns of gaps by the
// reconciliation's evidence.
func certificateRoutes() []*route {
	may := roles(dishub, auditor, admin)
	const doc = "Of a closed day it is kept, with its revisions; of an open one it is as known now. `sha256` is of the bytes of `certificate`."
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/devices/{id}/certificate", Name: "getDeviceCertificate", Tag: "devices", Roles: may,
			Summary: "Certificate of completeness of a device's day", Doc: doc, Formats: certificateForms,
			Answer: typeOf[Certified[certificate.DeviceDay]](), Handle: (*Server).deviceCertificate, Problem: []int{http.StatusNotFound},
			Params: certificateParams(pathID("id of a device")),
		},
		{
			Method: http.MethodGet, Path: "/v1/parking/sites/{id}/completeness", Name: "getSiteCertificate", Tag: "devices", Roles: may,
			Summary: "Certificate of completeness of a site's day", Doc: doc, Formats: certificateForms,
			Answer: typeOf[Certified[certificate.PlaceDay]](), Handle: (*Server).siteCertificate, Problem: []int{http.StatusNotFound},
			Params: certificateParams(pathID("id of a site")),
		},
		{
			Method: http.MethodGet, Path: "/v1/traffic/segments/{id}/completeness", Name: "getSegmentCertificate", Tag: "devices", Roles: may,
			Summary: "Certificate of completeness of a segment's day", Doc: doc, Formats: certificateForms,
			Answer: typeOf[Certified[certificate.PlaceDay]](), Handle: (*Server).segmentCertificate, Problem: []int{http.StatusNotFound},
			Params: certificateParams(pathID("id of a segment")),
		},
		{
			Method: http.MethodGet, Path: "/v1/completeness", Name: "getCityCertificate", Tag: "devices", Roles: may,
			Summary: "The list of a closed day's certificates, whose hash is in the books", Formats: certificateForms,
			Doc:    "It names each place's certificate by its hash, and those name their devices'. `entry` is proved by /v1/revenue/proof/inclusion?entry=.",
			Answer: typeOf[Certified[certificate.CityDay]](), Handle: (*Server).cityCertificate, Problem: []int{http.StatusNotFound},
			Params: certificateParams(),
		},
	}
}
