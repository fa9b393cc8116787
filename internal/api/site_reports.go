package api

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/complaint"
)

// evidenceServices are what citizens report that tells of money which was not
// recorded.
var evidenceServices = []string{"overcharged", "no_karcis", "illegal_attendant"}

// siteReports counts the citizens' reports of a day by site.
func (s *Server) siteReports(ctx context.Context, date string) (map[string][]SiteReports, error) {
	day, err := time.ParseInLocation(time.DateOnly, date, s.zone)
	if err != nil {
		return nil, badParameter("date", "must be a day like 2026-03-02")
	}
	const most = 10_000
	found, _, err := s.Complaints.Complaints(ctx, complaint.Query{
		Services: evidenceServices, Sources: []complaint.Source{complaint.SourceCitizen, complaint.SourceCity},
		States: []complaint.State{complaint.StateReceived, complaint.StateVerified, complaint.StateInProgress, complaint.StateAnswered, complaint.StateClosed},
		From:   day.UnixMilli(), To: day.AddDate(0, 0, 1).UnixMilli(), Limit: most,
	})
	if err != nil {
		return nil, err
	}
	counts := map[[2]string]int{}
	sites := map[string]bool{}
	for i := range found {
		for _, site := range found[i].Subjects.Sites {
			counts[[2]string{site, found[i].Service}]++
			sites[site] = true
		}
	}
	reports := map[string][]SiteReports{}
	for site := range sites {
		for _, service := range evidenceServices {
			if n := counts[[2]string{site, service}]; n > 0 {
				reports[site] = append(reports[site], SiteReports{service, n})
			}
		}
	}
	return reports, nil
}
