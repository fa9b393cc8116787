package open311_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/open311"
)

func TestParseFiling(t *testing.T) {
	v, err := url.ParseQuery("api_key=K&service_code=001&lat=-6.2379&long=107.0011&description=Jl.+Juanda%00&attribute%5BJENIS%5D=a&attribute[KAPAN][]=x&attribute[KAPAN][]=y&email=a@b.id&unknown=1")
	require.NoError(t, err)
	f, faults := open311.ParseFiling(v)
	require.Empty(t, faults)
	require.Equal(t, &open311.Filing{
		ServiceCode: "001", Located: true, Lat: -6.2379, Long: 107.0011, Description: "Jl. Juanda", Email: "a@b.id",
		Attributes: []open311.Answer{{Code: "JENIS", Values: []string{"a"}}, {Code: "KAPAN", Values: []string{"x", "y"}}},
	}, f)
	again, faults := open311.ParseFiling(f.Values("K"))
	require.Empty(t, faults)
	require.Equal(t, f, again)
}

func TestFilingFaults(t *testing.T) {
	for _, c := range [][2]string{
		{"lat=1&long=2", "service_code was not provided"},
		{"service_code=x", "a location was not provided"},
		{"service_code=x&lat=1", "lat and long belong together"},
		{"service_code=x&lat=91&long=0", "lat must be degrees"},
		{"service_code=x&lat=NaN&long=0", "lat must be degrees"},
		{"service_code=x&lat=1&long=Inf", "long must be degrees"},
		{"service_code=x&address_string=y&media_url=ftp://", "media_url must be an address"},
		{"service_code=x&address_string=y&media_url=javascript:alert(1)", "media_url must be an address"},
		{"service_code=x&address_string=y&attribute[=1", "an attribute is sent as"},
		{"service_code=x&address_string=y&description=" + strings.Repeat("ä", 4001), "description is over 4000 characters"},
		{"service_code=x&address_string=y&" + strings.Repeat("&attribute[A][]=1", 51), "has over 50 values"},
		{"service_code=x&address_string=" + strings.Repeat("y", 501), "address_string is over 500 characters"},
		{"service_code=x&address_string=y&attribute[" + strings.Repeat("A", 300) + "]=1", "an attribute is sent as"},
		{"service_code=x&address_string=y&media_url=https://x.example/" + strings.Repeat("y", 2000), "media_url is over"},
		{"service_code=x&address_string=y&first_name=" + strings.Repeat("y", 256), "first_name is over"},
	} {
		query, want := c[0], c[1]
		v, err := url.ParseQuery(query)
		require.NoError(t, err)
		_, faults := open311.ParseFiling(v)
		require.NotEmpty(t, faults, query)
		require.Contains(t, faults[0].Description, want)
		require.Equal(t, "400", faults[0].Code)
	}
	v, err := url.ParseQuery("service_code=x&address_string=y&description=" + strings.Repeat("ä", 4000))
	require.NoError(t, err)
	_, faults := open311.ParseFiling(v)
	require.Empty(t, faults, "4000 characters are enough")
}

func TestDefinitionCheck(t *testing.T) {
	d := open311.Definition{Code: "x", Attributes: []open311.Attribute{
		{Variable: true, Code: "ONE", Datatype: open311.TypeOne, Required: true, Values: []open311.Value{{Key: "a"}, {Key: "b"}}},
		{Variable: true, Code: "MANY", Datatype: open311.TypeMany, Values: []open311.Value{{Key: "a"}, {Key: "b"}}},
		{Variable: true, Code: "NUM", Datatype: open311.TypeNumber},
		{Variable: true, Code: "AT", Datatype: open311.TypeDatetime},
		{Code: "NOTE", Datatype: open311.TypeText},
	}}
	one := open311.Answer{Code: "ONE", Values: []string{"a"}}
	require.Empty(t, d.Check([]open311.Answer{one, {Code: "MANY", Values: []string{"a", "b"}}, {Code: "NUM", Values: []string{"-1.5"}}, {Code: "AT", Values: []string{"2026-03-02T08:00:00+07:00"}}}, wib))
	for want, given := range map[string][]open311.Answer{
		"attribute[ONE] was not provided": nil, "attribute[ONE] must be one of": {{Code: "ONE", Values: []string{"c"}}}, "attribute[ONE] takes one": {{Code: "ONE", Values: []string{"a", "b"}}},
		"attribute[X] is none of service x": {one, {Code: "X", Values: []string{"1"}}}, "attribute[NUM] must be a number": {one, {Code: "NUM", Values: []string{"x"}}},
		"attribute[AT] must be a time": {one, {Code: "AT", Values: []string{"x"}}}, "attribute[NOTE] is none": {one, {Code: "NOTE", Values: []string{"x"}}},
	} {
		faults := d.Check(given, wib)
		require.NotEmpty(t, faults, want)
		require.Contains(t, faults[0].Description, want)
	}
}

func TestParseUpdate(t *testing.T) {
	u := open311.Update{ID: "u-1", RequestID: "SPG-2026-000001", Status: "in_progress", Description: "x", Updated: 1_772_427_600_000}
	again, faults := open311.ParseUpdate(u.Form("K", wib), wib)
	require.Empty(t, faults)
	require.Equal(t, u, *again)
	require.Equal(t, "IN_PROGRESS", u.Form("K", wib).Get("status"))
	_, faults = open311.ParseUpdate(url.Values{}, wib)
	require.Len(t, faults, 5)
}
