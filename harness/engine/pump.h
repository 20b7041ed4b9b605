// Two connected stream sockets, joined: what the one says the other hears.
#pragma once

// Returns when either side has ended, or cannot be written to any more; what it said before has
// been passed on by then. Both stay open, in whichever mode they were.
void pump(int one, int other);
