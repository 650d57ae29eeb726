/* Map beside other vCPUs: only an entry that is empty is anybody's. */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
	.name = "c-map", .kind = "map", .shared_lock = true,
	.summary = "cmpxchg the block over an empty entry", .origin = "an example",
};

static void run(const struct transition *t)
{
	if (cmpxchg(t->ptep, 0, t->new) != 0)
		return;
	t->mm_ops->get_page(t->ptep);
	dsb(ishst);
}
