var  x =  {{ n }};


	var y;