/* story.h - one decision told in sentences. */
#ifndef WEIR_CTL_STORY_H
#define WEIR_CTL_STORY_H

#include "conf.h"
#include "decided.h"
#include "remembered.h"
#include "view.h"

/* `later`: what was decided about the same triplet since. */
void story_tell(const struct view *view, const struct conf *conf,
                const struct decided *decided, const struct remembered *later,
                int64_t now_s);

#endif
