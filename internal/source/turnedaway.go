package source

// TurnedAway is a log-in that was refused for its user or secret.
type TurnedAway struct {
	Source  string
	User    string // as it was given, 64 bytes at most; of one that gave secret and user in each other's place the user
	Remote  string // address of the last try
	First   int64  // Unix ms
	Last    int64  // Unix ms
	Times   uint64
	Known   bool // there are credentials of this user: the secret is another
	Swapped bool // user and secret stand in each other's place
}
