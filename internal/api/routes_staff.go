package api

import (
	"net/http"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/token"
)

// Short names of the roles, for the table.
const (
	dishub    = token.Dishub
	bapenda   = token.Bapenda
	auditor   = token.Auditor
	operator  = token.Operator
	executive = token.Executive
	admin     = token.Admin
)

func roles(r ...token.Role) []token.Role { return r }

func kindNames() []string {
	names := make([]string, len(city.Kinds))
	for i, kind := range city.Kinds {
		names[i] = kind.String()
	}
	return names
}

func deviceRoutes() []*route {
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/devices", Name: "listDevices", Tag: "devices", Roles: roles(dishub, admin),
			Summary: "Devices and how they fare", Formats: sheets, Answer: typeOf[List[Device]](), Handle: (*Server).devices,
			Params: join([]param{
				{Name: "kind", Enum: []string{"spot", "gate", "count", "traffic", "meter"}},
				{Name: "site", Doc: "only devices of this site"},
				{Name: "silent", Type: isFlag, Doc: "only silent ones, or only others"},
			}, pageParams()),
		},
		{
			Method: http.MethodGet, Path: "/v1/devices/{id}", Name: "getDevice", Tag: "devices", Roles: roles(dishub, admin),
			Summary: "One device", Params: []param{pathID("id of a device")}, Answer: typeOf[Device](), Handle: (*Server).oneDevice, Problem: []int{http.StatusNotFound},
		},
		{
			Method: http.MethodGet, Path: "/v1/devices/{id}/readings", Name: "listReadings", Tag: "devices", Roles: roles(dishub, admin),
			Summary: "What a device sent, by its own clock", Doc: "Money kinds are hidden from role dishub. Reading a meter is logged.", Logged: readsMoney,
			Formats: sheets, Answer: typeOf[ReadingList](), Handle: (*Server).readings, Problem: []int{http.StatusNotFound},
			Params: join([]param{pathID("id of a device"), {Name: "kind", Enum: kindNames()}}, spanParams("24 h before `to`"), pageParams()),
		},
		{
			Method: http.MethodGet, Path: "/v1/devices/{id}/completeness", Name: "getCompleteness", Tag: "devices", Roles: roles(dishub, admin),
			Summary: "What of a device's day is there, and what is missing", Formats: sheets,
			Answer: typeOf[Completeness](), Handle: (*Server).completeness, Problem: []int{http.StatusNotFound},
			Params: []param{pathID("id of a device"), {Name: "date", Type: isDay, Doc: "day in the city's zone; default today"}},
		},
		{
			Method: http.MethodPost, Path: "/v1/devices/{id}/commands", Name: "orderCommand", Tag: "devices", Roles: roles(dishub, admin),
			Summary: "Tell a device to set its clock, to boot, or to take the tariff of its site",
			Doc: "Sent over MQTT until the device acknowledges it or it expires. The same again while one is open is that one (200). `tariff` is for role admin. " +
				"422 for devices that nothing leads down to: of LoRaWAN networks, or where all sources are serial lines.",
			Params: []param{pathID("id of a device")},
			Body:   typeOf[NewCommand](), Answer: typeOf[Command](), Status: http.StatusCreated, Also: http.StatusOK, Handle: (*Server).orderCommand,
			Problem: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		},
		{
			Method: http.MethodGet, Path: "/v1/devices/{id}/commands", Name: "listCommands", Tag: "devices", Roles: roles(dishub, admin),
			Summary: "What a device was told, the newest first", Formats: sheets, Answer: typeOf[List[Command]](), Handle: (*Server).listCommands,
			Params: join([]param{pathID("id of a device")}, pageParams()), Problem: []int{http.StatusNotFound},
		},
		{
			Method: http.MethodGet, Path: "/v1/unknown-devices", Name: "listUnknownDevices", Tag: "devices", Roles: roles(dishub, admin),
			Summary: "Devices that speak and are not in devices.csv, with the line that is missing there",
			Doc: "Out of quarantine, whatever the reason. As a table it is the missing lines of devices.csv, to be completed by a person. " +
				"What was sent is opened for it, which is logged.",
			Formats: sheets, Answer: typeOf[List[UnknownDevice]](), Handle: (*Server).unknownDevices, Params: pageParams(),
		},
		{
			Method: http.MethodGet, Path: "/v1/refused-logins", Name: "listRefusedLogins", Tag: "devices", Roles: roles(dishub, admin),
			Summary: "Who may not log in at the built-in broker, the newest first, with what to do",
			Doc:     "Since the start of the gateway, of the 1,000 users that tried last; who has logged in since is not listed.",
			Formats: sheets, Answer: typeOf[List[RefusedLogin]](), Handle: (*Server).refusedLogins,
			Params: []param{{Name: "limit", Type: isWhole, Min: 1, Max: 1000, Default: "100"}},
		},
		{
			Method: http.MethodGet, Path: "/v1/quarantine", Name: "listQuarantine", Tag: "quarantine", Roles: roles(admin),
			Summary: "What was set aside, the oldest first", Formats: sheets, Answer: typeOf[List[QuarantineItem]](), Handle: (*Server).quarantineList,
			Params: join([]param{
				{Name: "device"},
				{Name: "reason", Enum: reasonNames()},
				{Name: "pending", Type: isFlag, Doc: "true: only what no retry was made of"},
			}, pageParams()),
		},
		{
			Method: http.MethodPost, Path: "/v1/quarantine/{id}/retry", Name: "retryQuarantined", Tag: "quarantine", Roles: roles(admin),
			Summary: "Offer a set-aside message again", Doc: "It keeps its first receive time. Twice is once.",
			Params: []param{{Name: "id", Type: isWhole, Min: 1, Max: 1 << 53, Required: true, Path: true, Doc: "id of the message"}},
			Answer: typeOf[Retried](), Handle: (*Server).retry, Problem: []int{http.StatusNotFound, http.StatusServiceUnavailable},
		},
	}
}

func reasonNames() []string {
	names := make([]string, len(city.Reasons))
	for i, reason := range city.Reasons {
		names[i] = string(reason)
	}
	return names
}

func moneyRoutes() []*route {
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/revenue/summary", Name: "getRevenueSummary", Tag: "revenue",
			Summary: "A year's accounts, the whole city", Formats: reportForms, Answer: typeOf[RevenueSummary](), Handle: (*Server).revenueSummary,
			Params: []param{{Name: "year", Type: isWhole, Min: 2000, Max: 2200, Doc: "default this year"}, viewParam()},
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/daily", Name: "listDailyRevenue", Tag: "revenue",
			Roles:   roles(bapenda, auditor, operator, dishub, executive, admin),
			Summary: "Recorded and due, a day and group a row",
			Doc: "Every day that [from, to) touches. Role operator sees its own sites, dishub the accounts that it collects itself, " +
				"executive totals only (kecamatan, account, class, method), and those without PBJT, of which a day may be of one taxpayer: summary and realisasi have it.",
			Formats: reportForms, Answer: typeOf[List[DailyRevenue]](), Handle: (*Server).revenueDaily,
			Params: join(spanParams("the first of the month"), []param{{Name: "group", Enum: dailyGroups, Default: "account"}, viewParam()}, pageParams()),
			Logged: namesPayers,
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/receipts", Name: "listReceipts", Tag: "revenue", Roles: roles(bapenda, auditor, operator, admin),
			Summary: "Receipts as the books hold them", Doc: "By the meter's clock. Role operator sees its own sites. Every reading is logged.", Logged: always,
			Formats: sheets, Answer: typeOf[List[Receipt]](), Handle: (*Server).receipts, Problem: []int{http.StatusNotFound},
			Params: join([]param{{Name: "site", Doc: "only this site's"}}, spanParams("24 h before `to`"), pageParams()),
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/access", Name: "listAccess", Tag: "revenue", Roles: roles(auditor, admin),
			Summary: "Who read money, what, and when", Doc: "In the order in which it was written down.",
			Formats: sheets, Answer: typeOf[List[AccessItem]](), Handle: (*Server).accesses,
			Params: join([]param{{Name: "token", Doc: "only this token's id"}}, spanParams("7 days before `to`"), pageParams()),
		},
	}
}

func viewParam() param {
	return param{
		Name: "view", Enum: []string{"known", "filed"}, Default: "known",
		Doc: "known: as known now; filed: what came after the close of its month stands in the next open month",
	}
}

func gatewayRoutes() []*route {
	return []*route{
		{
			Method: http.MethodPost, Path: "/v1/admin/reload", Name: "reload", Tag: "admin", Roles: roles(admin),
			Summary: "Read the inventory again, all or nothing", Answer: typeOf[Reloaded](), Handle: (*Server).reload,
			Problem: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
		},
		{
			Method: http.MethodPost, Path: "/v1/admin/clock", Name: "acceptClock", Tag: "admin", Roles: roles(admin),
			Summary: "Accept the machine's clock as it is", Answer: typeOf[ClockAccepted](), Handle: (*Server).acceptClock,
			Problem: []int{http.StatusServiceUnavailable},
		},
		{
			Method: http.MethodGet, Path: "/healthz", Name: "healthz", Tag: "gateway", Free: true,
			Summary: "The process lives", Answer: typeOf[Alive](), Handle: (*Server).healthz,
		},
		{
			Method: http.MethodGet, Path: "/readyz", Name: "readyz", Tag: "gateway", Free: true,
			Summary: "Whether it can commit and answer, and why not", Doc: "503 has the same body.",
			Answer: typeOf[Readyz](), Also: http.StatusServiceUnavailable, Handle: (*Server).readyz,
		},
		{
			Method: http.MethodGet, Path: "/openapi.json", Name: "openapi", Tag: "gateway",
			Summary: "This document", Handle: (*Server).document, Media: "application/json",
		},
	}
}
