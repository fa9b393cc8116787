package api

import (
	"net/http"

	"github.com/simpang-id/simpang/internal/city"
)

var (
	sheets = []string{"csv", "xlsx"}
	maps3  = []string{"csv", "xlsx", "geojson"}
)

// allRoutes returns every route. It is the source of the router, of the
// checks and of the OpenAPI document.
func allRoutes() []*route {
	routes := append(append(append(parkingRoutes(), cityRoutes()...), deviceRoutes()...), append(moneyRoutes(), booksRoutes()...)...)
	routes = append(routes, proofRoutes()...)
	routes = append(routes, anomalyRoutes()...)
	routes = append(routes, certificateRoutes()...)
	routes = append(routes, gatewayRoutes()...)
	routes = append(routes, reportRoutes()...)
	routes = append(routes, complaintRoutes()...)
	routes = append(routes, open311Routes()...)
	for _, t := range routes {
		t.finish()
	}
	return routes
}

func classParam(doc string) param {
	names := make([]string, len(city.Classes))
	for i, class := range city.Classes {
		names[i] = class.String()
	}
	return param{Name: "class", Enum: names, Doc: doc}
}

func stepParam() param {
	return param{Name: "step", Type: isStep, Default: "5m", Doc: "length of a step: a multiple of five minutes, like 5m, 15m, 1h, 1d"}
}

func parkingRoutes() []*route {
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/parking/sites", Name: "listSites", Tag: "parking",
			Summary: "Parking places as they are now", Formats: maps3, Answer: typeOf[List[Site]](), Handle: (*Server).listSites, Kept: true,
			Params: join([]param{
				classParam("only sites with places for it; `classes` is trimmed to it"),
				{Name: "kecamatan", Doc: "only sites in this kecamatan"},
				{Name: "kind", Enum: []string{"on_street", "off_street"}},
				{Name: "bbox", Type: isBox, Doc: "lon,lat,lon,lat: only sites within"},
			}, pageParams()),
		},
		{
			Method: http.MethodGet, Path: "/v1/parking/nearby", Name: "nearbySites", Tag: "parking",
			Summary: "Parking places near a point, the best first",
			Doc:     "Open and not full before unknown before full before closed, then by walking time.",
			Formats: maps3, Answer: typeOf[List[NearbySite]](), Handle: (*Server).nearby, Kept: true,
			Params: []param{
				{Name: "lat", Type: isNumber, Min: -90, Max: 90, Required: true},
				{Name: "lon", Type: isNumber, Min: -180, Max: 180, Required: true},
				{Name: "radius_m", Type: isNumber, Min: 1, Max: 20_000, Default: "500", Doc: "m, as the crow flies"},
				classParam("only sites with places for it"),
				{Name: "arrive_in_min", Type: isWhole, Min: 0, Max: 24 * 60, Default: "0", Doc: "`price_1h` is of an hour from then"},
				{Name: "accessible", Type: isFlag, Doc: "true: only sites with accessible places"},
				{Name: "limit", Type: isWhole, Min: 1, Max: 1000, Default: "100"},
			},
		},
		{
			Method: http.MethodGet, Path: "/v1/parking/sites/{id}", Name: "getSite", Tag: "parking",
			Summary: "One parking place with its spots", Answer: typeOf[SiteDetail](), Handle: (*Server).oneSite,
			Params: []param{pathID("id of a site")}, Problem: []int{http.StatusNotFound},
		},
		{
			Method: http.MethodGet, Path: "/v1/parking/sites/{id}/history", Name: "getSiteHistory", Tag: "parking",
			Summary: "How full a parking place was",
			Doc: "Averages are over time. A gap has coverage 0 and nulls. `arrivals` and `departures` of a taxpayer's site " +
				"(levy pbjt) are null without a staff token. At most 5,000 points. The span is widened to whole steps.",
			Formats: sheets, Answer: typeOf[ParkingHistory](), Staff: true, Handle: (*Server).siteHistory, Problem: []int{http.StatusNotFound, http.StatusUnauthorized},
			Params: join([]param{pathID("id of a site"), classParam("default the site's first class")}, spanParams("24 h before `to`"), []param{stepParam()}),
		},
		{
			Method: http.MethodGet, Path: "/v1/traffic/segments", Name: "listSegments", Tag: "traffic",
			Summary: "Road segments as they flow now", Formats: maps3, Params: pageParams(), Answer: typeOf[List[Segment]](), Handle: (*Server).listSegments, Kept: true,
		},
		{
			Method: http.MethodGet, Path: "/v1/traffic/segments/{id}", Name: "getSegment", Tag: "traffic",
			Summary: "One road segment", Params: []param{pathID("id of a segment")}, Answer: typeOf[Segment](), Handle: (*Server).oneSegment, Problem: []int{http.StatusNotFound},
		},
		{
			Method: http.MethodGet, Path: "/v1/traffic/segments/{id}/history", Name: "getSegmentHistory", Tag: "traffic",
			Summary: "How a road segment flowed", Doc: "A gap has coverage 0 and nulls. At most 5,000 points. The span is widened to whole steps.",
			Formats: sheets, Answer: typeOf[TrafficHistory](), Handle: (*Server).segmentHistory, Problem: []int{http.StatusNotFound},
			Params: join([]param{pathID("id of a segment")}, spanParams("24 h before `to`"), []param{stepParam()}),
		},
		{
			Method: http.MethodGet, Path: "/v1/traffic/congestion", Name: "getCongestion", Tag: "traffic",
			Summary: "The city's roads as they are now", Answer: typeOf[Congestion](), Handle: (*Server).congestionNow,
		},
		{
			Method: http.MethodGet, Path: "/v1/stream", Name: "stream", Tag: "parking", Media: "text/event-stream",
			Summary: "What changes, as server-sent events",
			Doc: "`event: site` and `event: segment` carry the item as in its list; `id` is epoch-n, the epoch is the process. Without Last-Event-ID " +
				"all items come first; with it, each item that changed since, as it is now. Where that cannot be told (another process, or an item " +
				"has vanished) comes `event: reset` and then all items. Changes of 20 ms are told as one; a change of `age_s` alone is no event. " +
				"A comment comes at least every 15 s. Who does not read is cut.",
			Params: []param{{Name: "topics", Type: isList, Enum: []string{topicParking, topicTraffic}, Default: topicParking + "," + topicTraffic}},
			Handle: (*Server).stream, Problem: []int{http.StatusServiceUnavailable},
		},
	}
}

func cityRoutes() []*route {
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/closures", Name: "listClosures", Tag: "closures",
			Summary: "What is closed or will be", Doc: "Repetitions are told 30 days ahead.",
			Formats: sheets, Params: pageParams(), Answer: typeOf[List[Closure]](), Handle: (*Server).closures,
		},
		{
			Method: http.MethodPost, Path: "/v1/closures", Name: "createClosure", Tag: "closures", Roles: roles(dishub, admin),
			Summary: "Close a place or road", Doc: "The same content again is the same closure (200).",
			Body: typeOf[NewClosure](), Answer: typeOf[Closure](), Status: http.StatusCreated, Also: http.StatusOK, Handle: (*Server).closeDown,
			Problem: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
		},
		{
			Method: http.MethodDelete, Path: "/v1/closures/{id}", Name: "deleteClosure", Tag: "closures", Roles: roles(dishub, admin),
			Summary: "Take a closure back that was set here", Params: []param{pathID("id of a closure")},
			Status: http.StatusNoContent, Handle: (*Server).reopen, Problem: []int{http.StatusNotFound, http.StatusServiceUnavailable},
		},
		{
			Method: http.MethodGet, Path: "/v1/agencies", Name: "listAgencies", Tag: "city",
			Summary: "Agencies with their duties and services", Formats: sheets, Params: pageParams(), Answer: typeOf[List[Agency]](), Handle: (*Server).agencies,
		},
	}
}
