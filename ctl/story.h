/* story.h - one decision told in sentences. */
#ifndef WEIR_CTL_STORY_H
#define WEIR_CTL_STORY_H

#include "conf/conf.h"
#include "remembered.h"
#include "rules/decision_line.h"
#include "rules/grey.h"
#include "view.h"

/* What became of the decision's triplet, client and destination. */
struct sequel {
	struct remembered later;   /* what was decided about the triplet since */
	struct grey_record record; /* of the triplet, as it is now */
	bool is_client_allowed;    /* as a whole */
	int64_t drained_until_s;   /* its destination; 0: it is not */
};

void story_tell(const struct view *view, const struct conf *conf,
                const struct decision_line *decided, const struct sequel *sequel,
                int64_t now_s);

#endif
