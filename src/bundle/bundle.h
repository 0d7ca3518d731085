/*
 * bundle.h
 *		Bundles, for those who load them.
 */
#ifndef CEC_BUNDLE_H
#define CEC_BUNDLE_H

extern void cec_bundle_init(void);
extern void cec_bundle_cycle_init(void);

#endif
