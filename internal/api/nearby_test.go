package api_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

type nearItem struct {
	ID        string
	DistanceM int      `json:"distance_m"`
	WalkMin   float64  `json:"walk_min"`
	PFree     *float64 `json:"p_free_on_arrival"`
	Price1h   *int     `json:"price_1h"`
	Classes   []struct{ Class string }
}

func (st *stage) near(t *testing.T, query string) []nearItem {
	t.Helper()
	var list struct {
		Items []nearItem
		Next  *string
	}
	require.NoError(t, json.Unmarshal([]byte(st.get(t, "/v1/parking/nearby?lat=-6.2370&lon=107.0002"+query).body), &list))
	require.Nil(t, list.Next)
	return list.Items
}

func names(items []nearItem) []string {
	all := []string{}
	for _, i := range items {
		all = append(all, i.ID)
	}
	return all
}

func TestNearby(t *testing.T) {
	st := newStage(t)
	items := st.near(t, "")
	require.Equal(t, []string{"s-alun", "s-mall"}, names(items), "500 m by default")
	// 0.0028 degrees of longitude at 6.237 south: 6371008.8 m x pi/180 x 0.0028 x cos(6.237).
	require.Equal(t, 310, items[1].DistanceM)
	require.InDelta(t, 310*1.3/80, items[1].WalkMin, 0.006)
	require.Nil(t, items[1].PFree)
	require.Equal(t, 5000, *items[1].Price1h)
	require.Equal(t, 4000, *items[0].Price1h)

	require.Len(t, st.near(t, "&radius_m=300"), 1)
	require.Len(t, st.near(t, "&radius_m=3000"), 3)
	require.Equal(t, []string{"s-alun"}, names(st.near(t, "&radius_m=3000&limit=1")))
	require.Equal(t, []string{"s-alun"}, names(st.near(t, "&radius_m=3000&accessible=true")))
	items = st.near(t, "&radius_m=3000&class=motorcycle")
	require.Equal(t, []string{"s-alun", "s-pasar"}, names(items))
	require.Equal(t, 2000, *items[0].Price1h, "the price is of the class")
	require.Len(t, items[0].Classes, 1)
}

func TestNearbyPutsTheBestFirst(t *testing.T) {
	st := newStage(t)
	state := func(id string, s occupancy.State) occupancy.SiteState {
		return occupancy.SiteState{ID: id, Classes: []occupancy.ClassState{{Class: city.Car, Capacity: 5, State: s}}}
	}
	order := func(alun, mall, pasar occupancy.State) []string {
		for id, s := range map[string]occupancy.State{"s-alun": alun, "s-mall": mall, "s-pasar": pasar} {
			st.Parking.Set(state(id, s))
		}
		st.render()
		return names(st.near(t, "&radius_m=5000&class=car"))
	}
	const closed, unknown, full, almost, open = occupancy.StateClosed, occupancy.StateUnknown, occupancy.StateFull, occupancy.StateAlmostFull, occupancy.StateOpen
	require.Equal(t, []string{"s-alun", "s-mall", "s-pasar"}, order(open, open, open), "the nearest of equals")
	require.Equal(t, []string{"s-alun", "s-mall", "s-pasar"}, order(almost, open, open), "almost full is not full")
	require.Equal(t, []string{"s-pasar", "s-mall", "s-alun"}, order(full, unknown, open))
	require.Equal(t, []string{"s-mall", "s-pasar", "s-alun"}, order(closed, unknown, full))

	// Of several classes the best counts where none is asked for.
	two := alun(0, 4, 0)
	two.Classes[0].State, two.Classes[1].State = full, open
	st.Parking.Set(two)
	st.render()
	require.Equal(t, "s-alun", st.near(t, "&radius_m=5000")[0].ID)
	// Who needs an accessible place wants a free one of these.
	two.AccessibleFree = city.SomeInt(0)
	st.Parking.Set(two)
	mall := state("s-mall", unknown)
	mall.AccessibleCapacity = 2
	st.Parking.Set(mall)
	st.render()
	require.Equal(t, []string{"s-mall", "s-alun"}, names(st.near(t, "&radius_m=5000&accessible=true")))
}
