<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology|Labeling" labelsEnabled="1">
 <renderer-v2 type="graduatedSymbol" attr="share" graduatedMethod="GraduatedColor" forceraster="0" symbollevels="0" enableorderby="0">
  <ranges>
   <range lower="0.000000000000000" upper="0.250000000000000" label="0 to 25 % covered" symbol="0" render="true"/>
   <range lower="0.250000000000000" upper="0.500000000000000" label="25 to 50 % covered" symbol="1" render="true"/>
   <range lower="0.500000000000000" upper="0.750000000000000" label="50 to 75 % covered" symbol="2" render="true"/>
   <range lower="0.750000000000000" upper="0.900000000000000" label="75 to 90 % covered" symbol="3" render="true"/>
   <range lower="0.900000000000000" upper="1.000000000000000" label="90 to 100 % covered" symbol="4" render="true"/>
  </ranges>
  <symbols>
   <symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="127,39,4,190"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="123,135,148,255"/>
      <Option type="QString" name="outline_style" value="solid"/>
      <Option type="QString" name="outline_width" value="0.15"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="217,72,1,190"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="123,135,148,255"/>
      <Option type="QString" name="outline_style" value="solid"/>
      <Option type="QString" name="outline_width" value="0.15"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="253,141,60,190"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="123,135,148,255"/>
      <Option type="QString" name="outline_style" value="solid"/>
      <Option type="QString" name="outline_width" value="0.15"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="253,190,133,190"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="123,135,148,255"/>
      <Option type="QString" name="outline_style" value="solid"/>
      <Option type="QString" name="outline_width" value="0.15"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="4" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="254,237,222,190"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="123,135,148,255"/>
      <Option type="QString" name="outline_style" value="solid"/>
      <Option type="QString" name="outline_width" value="0.15"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="shortfall" fontSize="9" fontSizeUnit="Point" fontFamily="sans-serif" textColor="31,41,51,255" isExpression="0">
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,255"/>
   </text-style>
   <placement placement="1" centroidWhole="0" centroidInside="1"/>
  </settings>
 </labeling>
 <blendMode>0</blendMode>
 <layerOpacity>1</layerOpacity>
</qgis>
