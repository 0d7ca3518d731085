/*
 * grow.h
 *		Arrays that grow as elements come.
 */
#ifndef CEC_GROW_H
#define CEC_GROW_H

extern void *cec_grow(MemoryContext cxt, void *elements, Size size);

/*
 * Makes room in an array for one more than count elements: for so many the first time, then for twice as many.  It lives in the
 * context given; at first it is NULL, and its space 0.
 */
#define CEC_MAKE_ROOM_IN(cxt, elements, count, space, first) \
	do \
	{ \
		if ((count) == (space)) \
		{ \
			int64 larger = (space) == 0 ? (first) : (int64) (space) *2; \
\
			(elements) = cec_grow(cxt, elements, larger * sizeof(*(elements))); \
			(space) = larger; \
		} \
	} while (0)

#define CEC_MAKE_ROOM(elements, count, space, first) \
	CEC_MAKE_ROOM_IN(CurrentMemoryContext, elements, count, space, first)

#endif
