# The schema travels inside the program: store/schema.c includes it as bytes.
$(B)/store/schema.o: $(B)/gen/store/schema.sql.inc
$(B)/store/schema.o: OBJ_EXTRA = -I$(B)/gen
